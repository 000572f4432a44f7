"""The outputs that a model may have, and how far ONNX may be from the model in each."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from rootflow.export.layout import MEV_IN_A_GEV

Kind = Literal["probability", "momentum", "score"]
# Of probabilities and scores the largest absolute difference; of momenta that of the vector,
# relative to its length or to 1 GeV, whichever is larger.
TOLERANCES: dict[Kind, float] = {"probability": 1e-5, "momentum": 1e-3, "score": 1e-6}


class Output(NamedTuple):
    """What an output is, and how it is compared."""

    kind: Kind
    meaning: str


BEST = "probability of the best pair with this jet as that of"
OUTPUTS = {
    "assignment": Output(
        "probability", "joint probability that slot i is the jet of b and slot j that of bbar"
    ),
    "neutrinos": Output("momentum", "momenta of neutrino and antineutrino"),
    "confidence": Output(
        "probability", "probability that the likeliest pair is right, if both of its jets are there"
    ),
    "score": Output("score", "probability that the event is signal"),
    "probabilities": Output("score", "probability of each class"),
    # Of the flat variant, in place of the momenta in GeV.
    "regression": Output("momentum", "momenta of neutrino and antineutrino"),
}
FLAT_ASSIGNMENT = (
    f"{BEST} b (0) and of bbar (1): the largest in each column is the most probable pair"
)


def flat_outputs(outputs: Mapping[str, Any], xp: Any = np) -> dict[str, Any]:
    """Return what the flat variant says where the model says `outputs`.

    `assignment` (n, J, 2): in column 0 the probability of the best pair in which this jet is that
    of b, in column 1 the same for bbar; `regression` (n, 2, 3): momenta in MeV. With `keras.ops`
    for `xp` they are those of a graph.
    """
    if "assignment" not in outputs:
        return dict(outputs)
    joint = outputs["assignment"]
    return {
        "assignment": xp.stack([xp.max(joint, axis=2), xp.max(joint, axis=1)], axis=-1),
        "regression": outputs["neutrinos"] * MEV_IN_A_GEV,
    }
