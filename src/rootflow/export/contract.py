"""What the exported files say of themselves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import onnx

from rootflow import __version__
from rootflow.config import FoldsConfig
from rootflow.export.conversion import BATCH_AXIS
from rootflow.export.entries import fold_in_words, fold_name, write_entries
from rootflow.export.layout import FLAT_INPUT, GROUPS, MEV, PADDING_VALUE, FlatLayout
from rootflow.export.units import GEV
from rootflow.exported.contract import Feature, ReconstructionContract, Tensor

NEUTRINO_AXES = ("px", "py", "pz")
ORDER = (
    "jets by falling pT; leptons: the positive charge first; "
    "neutrinos: that of the top quark, then that of the antiquark"
)
MEANING = {
    "jets": "the leading jets",
    "jet_mask": "true where there is a jet",
    "leptons": "the two charged leptons",
    "met": "missing transverse momentum",
    "event": "features of the event",
    "assignment": "joint probability that slot i is the jet of b and slot j that of bbar",
    "neutrinos": "momenta of neutrino and antineutrino",
    "confidence": "probability that the likeliest pair is right, if both of its jets are there",
}
CONFIDENCE = Tensor(
    name="confidence", type="float32", shape=(BATCH_AXIS,), meaning=MEANING["confidence"]
)


@dataclass(frozen=True)
class Origin:
    """Whose model it is, what it has not seen, and where it came from."""

    analysis: str
    name: str
    opset: int
    folds: FoldsConfig
    provenance: Mapping[str, str]
    branch_map: str | dict[str, Any] | None = None
    selection: Mapping[str, Any] | None = None

    @property
    def stem(self) -> str:
        """The name of the named variant's file, without its ending."""
        return f"{self.analysis}_{self.name}_applied_to_{fold_name(self.folds)}"


def named_contract(
    origin: Origin, layout: FlatLayout, confidence: bool = False
) -> ReconstructionContract:
    """Return the contract of the variant with one input for each collection.

    Parameters
    ----------
    confidence
        Whether there is such an output.
    """
    jets = layout.max_jets
    shapes: dict[str, tuple[int | str, ...]] = {
        name: layout.shape(name) if name in ("jets", "leptons") else layout.shape(name)[1:]
        for name in layout.collections
    }
    inputs = [
        Tensor(
            name=name,
            type="float32",
            shape=(BATCH_AXIS, *shapes[name]),
            meaning=MEANING[name],
            features=tuple(
                Feature(name=feature, unit=layout.units[name][feature])
                for feature in layout.features[name]
            ),
        )
        for name in layout.collections
    ]
    mask = Tensor(
        name="jet_mask", type="bool", shape=(BATCH_AXIS, jets), meaning=MEANING["jet_mask"]
    )
    assignment = Tensor(
        name="assignment",
        type="float32",
        shape=(BATCH_AXIS, jets, jets),
        meaning=MEANING["assignment"],
    )
    return _contract(
        origin,
        layout,
        variant="named",
        padding="zeros in jets, false in jet_mask",
        inputs=(inputs[0], mask, *inputs[1:]),
        outputs=(assignment, _neutrinos("neutrinos", GEV), *([CONFIDENCE] if confidence else [])),
    )


def flat_contract(origin: Origin, layout: FlatLayout) -> ReconstructionContract:
    """Return the contract of the variant with one flat input."""
    flat = Tensor(
        name=FLAT_INPUT,
        type="float32",
        shape=(BATCH_AXIS, layout.size),
        meaning="the features in this order",
        features=tuple(Feature(name=slot.name, unit=slot.unit) for slot in layout.slots()),
    )
    assignment = Tensor(
        name="assignment",
        type="float32",
        shape=(BATCH_AXIS, layout.max_jets, 2),
        meaning=(
            "probability of the best pair with this jet as that of b (0) and of bbar (1): "
            "the largest in each column is the most probable pair"
        ),
    )
    return _contract(
        origin,
        layout,
        variant="flat",
        padding=f"{PADDING_VALUE} in every feature of an absent jet",
        inputs=(flat,),
        outputs=(assignment, _neutrinos("regression", MEV)),
    )


def write_metadata(
    proto: onnx.ModelProto, contract: ReconstructionContract, layout: FlatLayout
) -> None:
    """Put the contract into the file's metadata, in full and one by one."""
    entries = {
        "rootflow.variant": contract.variant,
        "rootflow.max_jets": str(contract.max_jets),
        "rootflow.units": MEV if contract.variant == "flat" else GEV,
        "rootflow.padding": contract.padding,
        "rootflow.fold_count": str(contract.folds.count),
        "rootflow.fold_held_out": str(contract.folds.held_out),
        "rootflow.fold_scheme": contract.folds.scheme,
    }
    if contract.variant == "flat":
        entries |= _flat_entries(contract, layout)
    write_entries(proto, contract, entries)


def _flat_entries(contract: ReconstructionContract, layout: FlatLayout) -> dict[str, str]:
    """Return the entries that a dileptonic assigner in the ntuple production reads."""
    shapes = {tensor.name: tensor.shape[1:] for tensor in contract.outputs}
    return {
        "NN_padding_value": str(PADDING_VALUE),
        "NN_max_jets": str(layout.max_jets),
        "input_names": ",".join(GROUPS[name] for name in layout.collections),
        **{GROUPS[name]: ",".join(layout.names(name)) for name in layout.collections},
        "output_names": ",".join(shapes),
        **{f"{name}_shape": ",".join(map(str, shape)) for name, shape in shapes.items()},
        FLAT_INPUT: json.dumps([slot._asdict() for slot in layout.slots()]),
    }


def _contract(
    origin: Origin,
    layout: FlatLayout,
    variant: Literal["named", "flat"],
    padding: str,
    inputs: tuple[Tensor, ...],
    outputs: tuple[Tensor, ...],
) -> ReconstructionContract:
    return ReconstructionContract(
        rootflow_version=__version__,
        variant=variant,
        analysis=origin.analysis,
        model=origin.name,
        opset=origin.opset,
        max_jets=layout.max_jets,
        order=ORDER,
        padding=padding,
        inputs=inputs,
        outputs=outputs,
        folds=origin.folds,
        may_be_applied_to=fold_in_words(origin.folds),
        provenance=dict(origin.provenance),
        branch_map=origin.branch_map,
        selection=None if origin.selection is None else dict(origin.selection),
    )


def _neutrinos(name: str, unit: str) -> Tensor:
    return Tensor(
        name=name,
        type="float32",
        shape=(BATCH_AXIS, 2, 3),
        meaning=MEANING["neutrinos"],
        features=tuple(Feature(name=axis, unit=unit) for axis in NEUTRINO_AXES),
    )
