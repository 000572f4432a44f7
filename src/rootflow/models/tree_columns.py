"""What boosted trees see of an event that they reconstruct, and what their answers mean."""

import keras
from keras import ops

from rootflow.dataset.events import Features, Signs
from rootflow.models.architectures import event_inputs
from rootflow.models.kinematics import Tensor
from rootflow.models.layers import JointProbability
from rootflow.models.views import MASS_WITH_OWN, LeptonViews, to_detector

# Of the jets by falling pT, how many the trees of the neutrinos see one by one.
LEADING_JETS = 3
PAIRS, NEUTRINOS, AXES, THERE = "pairs", "neutrinos", "axes", "there"
LOG_ODDS, MOMENTA = "log_odds", "momenta"


def tree_columns(features: Features, max_jets: int, signs: Signs | None = None) -> keras.Model:
    """Return a model from the arrays of `Events` to the columns of trees.

    Trees see both halves of a pair of jets, that of the larger mass first, so that exchanging the
    charges exchanges the answers exactly; of a neutrino they see the view of its lepton. All is
    computed in float64: a last bit of float32 that differs would put a row in another leaf.

    Arguments and inputs are as of `build_model`. Outputs: `pairs` (n, J * J, columns) and
    `neutrinos` (n, 2, columns), rows of trees; `axes` (n, 2, 3, 3) of the views, and `there`
    (n, J), which jets are there.
    """
    inputs = event_inputs(features, max_jets)
    views = LeptonViews(features, signs, name="views", dtype="float64")(**inputs)
    jets, others = views["jets"], _flat(views["leptons"])
    if "met" in views:
        others = ops.concatenate([others, _flat(views["met"])], axis=-1)
    first, second = (_half(jets[:, k], others[:, k], k + 1, max_jets) for k in range(2))
    in_order = ops.greater_equal(first[..., MASS_WITH_OWN, None], second[..., MASS_WITH_OWN, None])
    of_jet = jets.shape[-1]
    pairs = ops.concatenate(
        [
            ops.where(in_order, first, second),
            ops.where(in_order, second, first)[..., :of_jet],
            views["pairs"],
        ],
        axis=-1,
    )
    there = inputs["jet_mask"][:, None, :LEADING_JETS, None]
    leading = _flat(ops.where(there, jets[:, :, :LEADING_JETS], 0.0))
    outputs = {
        PAIRS: ops.reshape(pairs, (-1, max_jets * max_jets, pairs.shape[-1])),
        NEUTRINOS: ops.concatenate([others, leading], axis=-1),
        AXES: views["axes"],
    }
    columns = {name: ops.cast(tensor, "float32") for name, tensor in outputs.items()}
    return keras.Model(inputs, {**columns, THERE: inputs["jet_mask"]}, name="columns")


def tree_answer(max_jets: int) -> keras.Model:
    """Return a model from what trees say to the outputs of a network that reconstructs.

    Where the log-odds are right and pairs independent, their softmax is the probability of each
    pair to be the right one. Inputs: `log_odds` (n, J, J) of each pair; `momenta` (n, 2, 3) of the
    neutrinos along the axes of their views, GeV; `axes` and `there` as of `tree_columns`.
    Outputs: `assignment` and `neutrinos` as of `build_model`.
    """
    inputs = {
        LOG_ODDS: keras.Input((max_jets, max_jets), name=LOG_ODDS),
        MOMENTA: keras.Input((2, 3), name=MOMENTA),
        AXES: keras.Input((2, 3, 3), name=AXES),
        THERE: keras.Input((max_jets,), dtype="bool", name=THERE),
    }
    outputs = {
        "assignment": JointProbability()(inputs[LOG_ODDS], inputs[THERE]),
        "neutrinos": to_detector(inputs[MOMENTA], inputs[AXES]),
    }
    return keras.Model(inputs, outputs, name="answer")


def _flat(seen: Tensor) -> Tensor:
    """Return (n, 2, objects * features) of what both leptons see."""
    return ops.reshape(seen, (-1, 2, seen.shape[2] * seen.shape[3]))


def _half(jets: Tensor, others: Tensor, along: int, max_jets: int) -> Tensor:
    """Return (n, J, J, columns) of jets (n, J, columns) along an axis, and of the rest."""
    each = ops.expand_dims(jets, 3 - along)
    repeats = [1, max_jets, 1, 1] if along == 2 else [1, 1, max_jets, 1]
    of_event = ops.tile(others[:, None, None], [1, max_jets, max_jets, 1])
    return ops.concatenate([ops.tile(each, repeats), of_event], axis=-1)
