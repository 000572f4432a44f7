"""The networks: from the arrays of events to an assignment and two neutrinos."""

import keras

from rootflow.config import InputsConfig
from rootflow.config.model import NetworkModelConfig, OwnReconstructionNetworkConfig
from rootflow.dataset.events import Features, Signs
from rootflow.errors import UsageError
from rootflow.models.classifier_inputs import refuse_unknown_inputs
from rootflow.models.kinematics import KINEMATICS, Tensor
from rootflow.models.layers import CONFIDENCE, Confidence, ExistingPairs, JointProbability
from rootflow.models.networks import penalise, scores_and_features
from rootflow.models.neutrinos import neutrinos_of
from rootflow.models.neutrinos.coordinates import Momenta
from rootflow.models.normalisation import SEEN, Normalisation
from rootflow.models.views import LeptonViews

JOINT = "joint"
# What the views are made of.
NEEDED = {"jets": KINEMATICS, "leptons": KINEMATICS, "met": ("pt", "phi")}


def features_taken(inputs: InputsConfig | None, features: Features) -> Features:
    """Return the features of a dataset that a network takes: the inputs, in the dataset's order.

    An input that it does not have, or inputs that views cannot be made of, are a UsageError.
    """
    if inputs is None:
        return features
    refuse_unknown_inputs(inputs, features)
    for collection, needed in NEEDED.items():
        chosen = inputs.get(collection, [])
        lacking = [name for name in needed if name not in chosen]
        if lacking and (chosen or collection != "met"):
            raise UsageError(
                f"inputs.{collection}: {', '.join(lacking)} must be among them: networks that "
                f"reconstruct see angles, distances and masses made of {', '.join(needed)}"
                + ("; or leave met out" if collection == "met" else "")
            )
    return {
        collection: tuple(name for name in names if name in inputs.get(collection, []))
        for collection, names in features.items()
    }


def build_model(
    config: NetworkModelConfig,
    features: Features,
    max_jets: int,
    normalisation: Normalisation,
    signs: Signs | None = None,
) -> keras.Model:
    """Return a network from the arrays of `Events` to an assignment and two neutrinos.

    The normalisation, of the training events, becomes part of the graph; features and signs are
    those of `LeptonViews`, and J, `max_jets`, are the jet slots of an event.

    Inputs, raw and in GeV: `jets` (n, J, features), `jet_mask` (n, J) bool, `leptons` (n, 2,
    features), `met` (n, features) and `event` (n, features) where there are any. Outputs:
    `assignment` (n, J, J), the joint probability that the first slot is the jet of b and the
    second that of bbar; `neutrinos` (n, 2, 3), px, py, pz of neutrino and antineutrino in GeV;
    where the settings ask for it, `confidence` (n,), the probability that the likeliest pair is
    right, if both of its jets are there. The sum of `assignment` is 1, or with `no_match` the
    probability that both b jets are among the jets.
    """
    inputs = event_inputs(features, max_jets)
    views = LeptonViews(features, signs, name="views")(**inputs)
    seen = {name: normalisation.applied(name, views[name]) for name in SEEN if name in views}
    scores, trunk = scores_and_features(config, seen, inputs["jet_mask"])
    joint = JointProbability(name=JOINT)(scores, inputs["jet_mask"])
    assignment = ExistingPairs(name="assignment")(joint, inputs["jet_mask"])
    raw = {name: tensor for name, tensor in inputs.items() if name != "event"}
    momenta = Momenta(features, name="momenta")(**raw)
    neutrinos = neutrinos_of(
        config.neutrinos,
        {"features": trunk, "axes": views["axes"], **momenta},
        assignment,
        normalisation.neutrino_scales,
    )
    outputs = {"assignment": assignment, "neutrinos": neutrinos}
    if config.confidence:
        outputs[CONFIDENCE] = Confidence(name=CONFIDENCE)(trunk, assignment)
    is_own = isinstance(config, OwnReconstructionNetworkConfig)
    network = keras.Model(inputs, outputs, name="own_network" if is_own else config.architecture)
    penalise(network, config.l2)
    return network


def event_inputs(features: Features, max_jets: int) -> dict[str, Tensor]:
    """Return what a network takes of an event, symbolically."""
    width = {name: len(columns) for name, columns in features.items()}
    inputs = {
        "jets": keras.Input((max_jets, width["jets"]), name="jets"),
        "jet_mask": keras.Input((max_jets,), dtype="bool", name="jet_mask"),
        "leptons": keras.Input((2, width["leptons"]), name="leptons"),
    }
    of_the_event = {name: width[name] for name in ("met", "event") if width[name]}
    return inputs | {name: keras.Input((size,), name=name) for name, size in of_the_event.items()}
