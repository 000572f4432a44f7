"""Whose models files are of, and what they say of themselves in contract, metadata and name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from rootflow import __version__, checksum
from rootflow.analysis import TaskName
from rootflow.config import FoldingConfig, FoldsConfig
from rootflow.config.export import Precision, Target
from rootflow.config.load import read_yaml
from rootflow.export.composing import BATCH_AXIS, FOLD
from rootflow.export.layout import GEV, MEV, NO_UNIT, OUTPUTS, InputCollection, Layout, Units
from rootflow.export.samples import Ranges
from rootflow.exported.contract import (
    INTERFACE_KEY,
    KEY,
    Collection,
    Feature,
    OnnxContract,
    Tensor,
)
from rootflow.sources import code_digest

LIBRARIES = ("keras", "tensorflow-cpu", "scikit-learn", "tf2onnx", "onnx", "onnxruntime", "numpy")
# A field of the contract, and what the provenance calls it.
ORIGIN = {
    "dataset": "dataset",
    "git_commit": "training_git_commit",
    "run_id": "run_id",
    "trained_at": "trained_at",
}
UNKNOWN = "unknown"
# What the metadata have of the contract one by one under its own name.
ALSO_ALONE = (
    "contract_version", "task", "analysis", "model", "variant", "opset", "precision", "order",
    "padding", "may_be_applied_to",
)  # fmt: skip
FULL: Precision = "float32"
# How each target's files are laid out.
VARIANTS = {"named": "named", "topcptoolkit-flat": "flat", "athena": "athena"}
AXES = ("px", "py", "pz")
ORDER = {
    "reconstruction": "jets by falling pT; leptons: the positive charge first; "
    "neutrinos: that of the top quark, then that of the antiquark",
    "classification": "objects of each collection by falling pT; the sign of pdg_id is negative "
    "for positive charge",
}
MEANING = {
    "jets": "the leading jets",
    "leptons": "the charged leptons",
    "met": "missing transverse momentum",
    "event": "features of the event",
    FOLD: "the fold that the event is in, which says whose model is applied",
}


@dataclass(frozen=True)
class About:
    """Whose model it is, what it was not trained on, and where it came from.

    Attributes
    ----------
    analysis, name
        The first two parts of the files' names.
    folds
        How events are divided.
    units
        By collection and feature, as in the dataset's manifest.
    branch_map, selection
        As the configuration has them: how ntuples are read for the model, and which events
        were kept.
    provenance
        Where the model comes from: the dataset's digest, the run.
    uses
        The features that the model looks at, by collection; none: all that it takes.
    classes
        Names of the classes, where there are several beside signal and background.
    ranges
        Of the features in the training's dataset; none: those of the events of the proof.
    metrics
        What the training measured.
    held_out
        The fold that the model was not trained on; None of a file with the models of all.
    precision
        Of the weights.
    """

    task: TaskName
    analysis: str
    name: str
    folds: FoldingConfig
    units: Units
    branch_map: str
    selection: Mapping[str, Any]
    provenance: Mapping[str, str]
    uses: Mapping[str, Sequence[str]] | None = None
    classes: Sequence[str] = ()
    ranges: Ranges = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    held_out: int | None = None
    opset: int = 17
    precision: Precision = FULL

    @property
    def unseen(self) -> FoldsConfig:
        """The folds, `held_out` being the one that the model was not trained on."""
        divided = self.folds.model_dump(include={"count", "scheme"})
        return FoldsConfig(**divided, held_out=self.held_out)

    @property
    def stem(self) -> str:
        """The name of the named variant's file, without precision and ending."""
        applied = "all_folds" if self.held_out is None else f"applied_to_{fold_name(self.unseen)}"
        return f"{self.analysis}_{self.name}_{applied}"

    @property
    def applies_to(self) -> str:
        """In words, the events that it may be applied to."""
        folds = self.folds
        if self.held_out is None:
            return f"every event, with its fold of {folds.count} ({folds.scheme})"
        if folds.scheme == "parity":
            return f"events with an {fold_name(self.unseen)} event number"
        if folds.scheme == "modulo":
            return f"events whose event number modulo {folds.count} is {self.held_out}"
        return f"events whose event number's hash gives fold {self.held_out} of {folds.count}"

    def file_name(self, target: Target) -> str:
        """Return the name of a target's file."""
        variant = VARIANTS[target]
        ending = "" if variant == "named" else f"_{variant}"
        return f"{in_precision(self.stem + ending, self.precision)}.onnx"


def contract_of(
    about: About,
    layout: Layout,
    *,
    target: Target,
    unit: str,
    padding: str,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
) -> OnnxContract:
    """Return the contract of a target's file: what all have in common, and its own tensors.

    `unit` is that of the energies and momenta that go in, and `padding` says in words what
    stands where there is no object.
    """
    said = {name: about.provenance.get(key, UNKNOWN) for name, key in ORIGIN.items()}
    every = {each.name: each.features for each in layout.collections}
    return OnnxContract(
        **{name: None if value == UNKNOWN else value for name, value in said.items()},
        rootflow_version=__version__,
        task=about.task,
        analysis=about.analysis,
        model=about.name,
        opset=about.opset,
        variant=VARIANTS[target],
        precision=about.precision,
        order=ORDER[about.task],
        padding=padding,
        collections=tuple(
            Collection(
                name=each.name,
                slots=each.slots,
                mask=each.mask,
                order=each.order,
                units=each.units_in(unit),
            )
            for each in layout.collections
        ),
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        folds=FoldingConfig(count=about.folds.count, scheme=about.folds.scheme),
        held_out=about.held_out,
        may_be_applied_to=about.applies_to,
        uses={
            name: tuple(features)
            for name, features in (about.uses or every).items()
            if features and name in every
        },
        classes=tuple(about.classes),
        branch_map=_self_contained(about.branch_map),
        selection=dict(about.selection),
        code=code_digest(about.analysis, "dataset"),
        libraries={name: version(name) for name in LIBRARIES},
        metrics=dict(about.metrics),
        provenance=dict(about.provenance),
    )


def columns(about: About, each: InputCollection, unit: str) -> tuple[Feature, ...]:
    """Return the columns of a collection as rootflow has them, with energies in the unit."""
    ranges = about.ranges[each.name] * each.scales(unit)[:, np.newaxis]
    return tuple(
        Feature(
            name=name,
            unit=found,
            padding=0.0 if each.mask else None,
            range=range_of(ranges[:, place]),
        )
        for place, (name, found) in enumerate(each.units_in(unit).items())
    )


def output(
    about: About,
    name: str,
    shape: Sequence[int | str],
    unit: str = GEV,
    meaning: str = "",
    called: str = "",
) -> Tensor:
    """Return what a contract says of an output, its columns where they have names.

    `called` is its name in the file, where that is another.
    """
    kind = OUTPUTS[name]
    names: Sequence[str] = AXES if kind.kind == "momentum" else ()
    if name == "probabilities" and shape:
        names, unit = about.classes, NO_UNIT
    return Tensor(
        name=called or name,
        type="float32",
        shape=tuple(shape),
        meaning=meaning or kind.meaning,
        unit=None if names else NO_UNIT,
        features=tuple(Feature(name=each, unit=unit) for each in names),
    )


def sealed(proto: onnx.ModelProto, contract: OnnxContract, entries: Mapping[str, str]) -> bytes:
    """Return the file with the contract in its metadata, and its checksum.

    The contract is there in full, and one by one with more entries.
    """
    energies = {unit for each in contract.collections for unit in each.units.values()}
    every = {
        **{f"rootflow.provenance.{key}": value for key, value in contract.provenance.items()},
        KEY: contract.model_dump_json(),
        checksum.KEY: checksum.UNSEALED,
        INTERFACE_KEY: contract.interface,
        "rootflow.version": contract.rootflow_version,
        **{f"rootflow.{name}": str(getattr(contract, name)) for name in ALSO_ALONE},
        "rootflow.units": MEV if MEV in energies else GEV,
        "rootflow.fold_count": str(contract.folds.count),
        "rootflow.fold_scheme": contract.folds.scheme,
        "input_names": _listed(tensor.name for tensor in contract.inputs),
        **{
            tensor.name: _listed(feature.name for feature in tensor.features)
            for tensor in contract.inputs
            if tensor.features
        },
        "output_names": _listed(tensor.name for tensor in contract.outputs),
        **{
            f"{tensor.name}_shape": _listed(axis for axis in tensor.shape if axis != BATCH_AXIS)
            for tensor in contract.outputs
        },
        **entries,
    }
    if contract.held_out is not None:
        every["rootflow.fold_held_out"] = str(contract.held_out)
    if "jets" in contract.slots:
        every["NN_max_jets"] = str(contract.slots["jets"])
    onnx.helper.set_model_props(proto, every)
    proto.producer_name = "rootflow"
    proto.producer_version = contract.rootflow_version
    proto.doc_string = f"{contract.model}: {contract.may_be_applied_to}"
    return checksum.seal(proto.SerializeToString())


def range_of(values: NDArray[np.floating]) -> tuple[float, float] | None:
    """Return a range as a contract has it, None where there was nothing to take it of."""
    low, high = float(values.min()), float(values.max())
    return (low, high) if np.isfinite([low, high]).all() else None


def in_precision(name: str, precision: Precision) -> str:
    """Return a name with the precision at its end, where it is not the full one."""
    return name if precision == FULL else f"{name}_{precision}"


def fold_name(folds: FoldsConfig) -> str:
    """Return the fold that a model was not trained on, for the name of its file."""
    if folds.scheme == "parity":
        return ("even", "odd")[folds.held_out]
    rest = "_modulo" if folds.scheme == "modulo" else ""
    return f"fold{folds.held_out}of{folds.count}{rest}"


def _self_contained(branch_map: str) -> str | dict[str, Any]:
    """Return the name of a shipped map, or all that a user's own says."""
    if not branch_map.endswith((".yaml", ".yml")):
        return branch_map
    said: dict[str, Any] = read_yaml(Path(branch_map), "branch map")
    return said


def _listed(values: Iterable[Any]) -> str:
    return ",".join(map(str, values))
