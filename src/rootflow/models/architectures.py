"""The networks: from the arrays of events to an assignment and two neutrinos."""

import keras

from rootflow.config import ModelConfig
from rootflow.dataset.events import Features
from rootflow.models.kinematics import Tensor
from rootflow.models.layers import ExistingPairs, JointProbability, NeutrinoMomenta
from rootflow.models.networks import BUILDERS
from rootflow.models.normalisation import SEEN, Normalisation, Standardise
from rootflow.models.views import LeptonViews

JOINT = "joint"


def build_model(
    config: ModelConfig, features: Features, max_jets: int, normalisation: Normalisation
) -> keras.Model:
    """Return a network from the arrays of `Events` to an assignment and two neutrinos.

    Parameters
    ----------
    config
        Chooses the architecture.
    features
        Names along the last axis of each input.
    max_jets
        Jet slots of an event, J.
    normalisation
        Of the training events; it becomes part of the graph.

    Returns
    -------
    A functional model. Inputs, raw and in GeV: `jets` (n, J, features), `jet_mask` (n, J)
    bool, `leptons` (n, 2, features), `met` (n, features), and `event` (n, features) where
    there are any. Outputs: `assignment` (n, J, J), the joint probability that the first
    slot is the jet of b and the second that of bbar; `neutrinos` (n, 2, 3), px, py, pz of
    neutrino and antineutrino in GeV. The sum of `assignment` is 1, or with `no_match` the
    probability that both b jets are among the jets.
    """
    inputs = _inputs(features, max_jets)
    views = LeptonViews(features, name="views")(**inputs)
    seen = {
        name: Standardise(
            normalisation.means[name], normalisation.scales[name], name=f"standardise_{name}"
        )(views[name])
        for name in SEEN
    }
    scores, momenta = BUILDERS[config.architecture](config, seen, inputs["jet_mask"])
    joint = JointProbability(name=JOINT)(scores, inputs["jet_mask"])
    outputs = {
        "assignment": ExistingPairs(name="assignment")(joint, inputs["jet_mask"]),
        "neutrinos": NeutrinoMomenta(normalisation.neutrino_scales, name="neutrinos")(
            momenta, views["axes"]
        ),
    }
    return keras.Model(inputs, outputs, name=config.architecture)


def _inputs(features: Features, max_jets: int) -> dict[str, Tensor]:
    width = {name: len(columns) for name, columns in features.items()}
    inputs = {
        "jets": keras.Input((max_jets, width["jets"]), name="jets"),
        "jet_mask": keras.Input((max_jets,), dtype="bool", name="jet_mask"),
        "leptons": keras.Input((2, width["leptons"]), name="leptons"),
        "met": keras.Input((width["met"],), name="met"),
    }
    if width["event"]:
        inputs["event"] = keras.Input((width["event"],), name="event")
    return inputs


def training_network(network: keras.Model) -> keras.Model:
    """Return the same network with the whole of the joint probability as its `assignment`.

    With `no_match` this is (n, J + 1, J + 1), none being the last row and column.
    """
    outputs = {**network.output, "assignment": network.get_layer(JOINT).output}
    return keras.Model(network.input, outputs, name=network.name)
