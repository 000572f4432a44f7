"""What the exported files of networks that assign jets say of themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from rootflow.config import FoldingConfig, FoldsConfig
from rootflow.config.export import Precision
from rootflow.export.entries import (
    BATCH_AXIS,
    fold_in_words,
    fold_name,
    origin_fields,
    range_of,
    self_contained,
)
from rootflow.export.layout import FlatLayout
from rootflow.export.ranges import Ranges
from rootflow.export.units import GEV
from rootflow.exported.contract import Collection, Feature, OnnxContract, Order, Tensor

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
AXES = ("px", "py", "pz")
NO_UNIT = "none"


@dataclass(frozen=True)
class Origin:
    """Whose model it is, what it has not seen, and where it came from.

    Attributes
    ----------
    branch_map, selection
        As the configuration has them: how its ntuples were read, and which events were kept.
    ranges
        Of the features, as rootflow has them inside.
    metrics
        What is known of the training and of the proof.
    """

    analysis: str
    name: str
    opset: int
    folds: FoldsConfig
    branch_map: str
    selection: Mapping[str, Any]
    ranges: Ranges
    provenance: Mapping[str, str]
    precision: Precision = "float32"
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """The name of the named variant's file, without precision and ending."""
        return f"{self.analysis}_{self.name}_applied_to_{fold_name(self.folds)}"


def named_contract(origin: Origin, layout: FlatLayout, unit: str, confidence: bool) -> OnnxContract:
    """Return the contract of the variant with one input for each collection.

    Parameters
    ----------
    unit
        Of the energies and momenta that go in.
    confidence
        Whether there is such an output.
    """
    jets = layout.max_jets
    inputs = [
        Tensor(
            name=name,
            type="float32",
            shape=(BATCH_AXIS, *_shape(layout, name)),
            meaning=MEANING[name],
            features=_features(origin, layout, name, unit),
        )
        for name in layout.collections
    ]
    mask = Tensor(
        name="jet_mask",
        type="bool",
        shape=(BATCH_AXIS, jets),
        meaning=MEANING["jet_mask"],
        unit=NO_UNIT,
    )
    outputs = [
        output("assignment", (BATCH_AXIS, jets, jets), MEANING["assignment"]),
        momenta("neutrinos", (BATCH_AXIS, 2, 3), GEV),
    ]
    if confidence:
        outputs.append(output("confidence", (BATCH_AXIS,), MEANING["confidence"]))
    return contract_of(
        origin,
        layout,
        variant="named",
        padding="zeros in jets, false in jet_mask",
        unit=unit,
        inputs=(inputs[0], mask, *inputs[1:]),
        outputs=outputs,
    )


def contract_of(
    origin: Origin,
    layout: FlatLayout,
    variant: Literal["named", "flat", "athena"],
    padding: str,
    unit: str,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
) -> OnnxContract:
    """Return the contract of a variant: what all have in common, and its own tensors."""
    return OnnxContract(
        variant=variant,
        task="reconstruction",
        analysis=origin.analysis,
        model=origin.name,
        opset=origin.opset,
        precision=origin.precision,
        order=ORDER,
        padding=padding,
        collections=_collections(layout, unit),
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        folds=FoldingConfig(count=origin.folds.count, scheme=origin.folds.scheme),
        held_out=origin.folds.held_out,
        uses={name: layout.features[name] for name in layout.collections},
        may_be_applied_to=fold_in_words(origin.folds),
        branch_map=self_contained(origin.branch_map),
        selection=dict(origin.selection),
        **origin_fields("ttbar", origin.provenance, origin.metrics),
    )


ORDERS: dict[str, Order] = {"jets": "pt", "leptons": "charge"}


def _collections(layout: FlatLayout, unit: str) -> tuple[Collection, ...]:
    return tuple(
        Collection(
            name=name,
            slots=layout.shape(name)[0] if name in ORDERS else None,
            mask="jet_mask" if name == "jets" else None,
            order=ORDERS.get(name),
            units={
                feature: unit if own == GEV else own for feature, own in layout.units[name].items()
            },
        )
        for name in layout.collections
    )


def output(name: str, shape: tuple[int | str, ...], meaning: str, unit: str = NO_UNIT) -> Tensor:
    """Return what a contract says of an output of numbers of one kind."""
    return Tensor(name=name, type="float32", shape=shape, meaning=meaning, unit=unit)


def momenta(
    name: str, shape: tuple[int | str, ...], unit: str, meaning: str = MEANING["neutrinos"]
) -> Tensor:
    """Return what a contract says of an output of momenta."""
    return Tensor(
        name=name,
        type="float32",
        shape=shape,
        meaning=meaning,
        features=tuple(Feature(name=axis, unit=unit) for axis in AXES),
    )


def _shape(layout: FlatLayout, name: str) -> tuple[int, ...]:
    shape = layout.shape(name)
    return shape if name in ("jets", "leptons") else shape[1:]


def _features(
    origin: Origin, layout: FlatLayout, collection: str, unit: str
) -> tuple[Feature, ...]:
    """Return the columns as rootflow has them, with energies in the unit."""
    return tuple(
        Feature(
            name=name,
            unit=unit if layout.units[collection][name] == GEV else layout.units[collection][name],
            padding=0.0 if collection == "jets" else None,
            range=range_of(origin.ranges[collection][:, place] * factor),
        )
        for place, (name, factor) in enumerate(
            zip(layout.features[collection], layout.scales(collection, unit), strict=True)
        )
    )
