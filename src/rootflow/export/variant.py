"""A model laid out for those who read the files of one target, and what its file says of itself."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any, ClassVar, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from rootflow import __version__, checksum
from rootflow.config import FoldingConfig
from rootflow.config.export import Target
from rootflow.export.about import About, in_precision
from rootflow.export.composing import BATCH_AXIS
from rootflow.export.conversion import Converted
from rootflow.export.layout import GEV, MEV, MEV_IN_A_GEV, NO_UNIT, OUTPUTS
from rootflow.export.samples import LARGEST
from rootflow.exported.contract import (
    INTERFACE_KEY,
    KEY,
    Collection,
    Feature,
    OnnxContract,
    Tensor,
)
from rootflow.exported.session import Arrays, ask
from rootflow.ntuple import entries_of
from rootflow.sources import code_digest
from rootflow.training.devices import installed_build

LIBRARIES = ("keras", "scikit-learn", "tf2onnx", "onnx", "onnxruntime", "numpy")
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
AXES = ("px", "py", "pz")
ORDER = {
    "reconstruction": "jets by falling pT; leptons: the positive charge first; "
    "neutrinos: that of the top quark, then that of the antiquark",
    "classification": "objects of each collection by falling pT; the sign of pdg_id is negative "
    "for positive charge",
}


class Variant(ABC):
    """A model laid out for a target: its graph, what it says of itself, and how it is proven.

    The configuration calls it `target`, the contract `name`. `one_gev` is in the unit of the
    momenta that come out, and `batch_sizes` are for how many events at once it is proven.
    """

    target: ClassVar[Target]
    name: ClassVar[Literal["named", "flat", "athena"]]
    one_gev: ClassVar[float] = MEV_IN_A_GEV
    batch_sizes: ClassVar[Sequence[int]] = (0, 1, 2, 7, LARGEST)

    def __init__(self, about: About, converted: Converted) -> None:
        self.about = about
        self.converted = converted
        self.layout = converted.layout

    @cached_property
    @abstractmethod
    def graph(self) -> onnx.ModelProto:
        """The model as the target takes it."""

    @property
    def _unit(self) -> str:
        """That of the energies and momenta that go in."""
        return MEV

    @property
    @abstractmethod
    def _padding(self) -> str:
        """What stands where there is no object, in words."""

    @abstractmethod
    def _inputs(self) -> list[Tensor]:
        """Return what goes in."""

    def _outputs(self) -> list[Tensor]:
        """Return what comes out, which is what the model says unless it is written otherwise."""
        return [self._output(name, shape) for name, shape in self.converted.outputs.items()]

    @abstractmethod
    def _entries(self) -> Mapping[str, str]:
        """Return metadata that only files of this target have."""

    @abstractmethod
    def feeds(self, inputs: Arrays) -> Arrays:
        """Return what goes in where the model takes `inputs`."""

    @abstractmethod
    def expected(self, feeds: Arrays) -> Arrays:
        """Return what the model says where this goes in, by the names that `ask` uses."""

    def ask(self, session: InferenceSession, feeds: Arrays) -> Arrays:
        """Return what the file says of a batch, by name."""
        return ask(session, feeds)

    @property
    def file(self) -> str:
        """The name of the file."""
        ending = "" if self.name == "named" else f"_{self.name}"
        return f"{in_precision(self.about.stem + ending, self.converted.precision)}.onnx"

    def _output(
        self,
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
            names, unit = self.about.classes, NO_UNIT
        return Tensor(
            name=called or name,
            type="float32",
            shape=tuple(shape),
            meaning=meaning or kind.meaning,
            unit=None if names else NO_UNIT,
            features=tuple(Feature(name=each, unit=unit) for each in names),
        )

    def contract(self, metrics: Mapping[str, float]) -> OnnxContract:
        """Return what the file says of itself; metrics are those of the proof."""
        about, layout = self.about, self.layout
        said = {name: about.provenance.get(key, UNKNOWN) for name, key in ORIGIN.items()}
        every = {each.name: each.features for each in layout.collections}
        return OnnxContract(
            **{name: None if value == UNKNOWN else value for name, value in said.items()},
            rootflow_version=__version__,
            task=about.task,
            analysis=about.analysis,
            model=about.name,
            opset=self.converted.config.opset,
            variant=self.name,
            precision=self.converted.precision,
            order=ORDER[about.task],
            padding=self._padding,
            collections=tuple(
                Collection(**each.model_dump() | {"units": each.units_in(self._unit)})
                for each in layout.collections
            ),
            inputs=tuple(self._inputs()),
            outputs=tuple(self._outputs()),
            folds=FoldingConfig(count=about.folds.count, scheme=about.folds.scheme),
            held_out=about.held_out,
            may_be_applied_to=about.applies_to,
            uses={
                name: tuple(features)
                for name, features in (about.uses or every).items()
                if features and name in every
            },
            classes=tuple(about.classes),
            branch_map=entries_of(about.branch_map),
            selection=dict(about.selection),
            code=code_digest(about.analysis, "dataset"),
            libraries={
                **{name: version(name) for name in LIBRARIES},
                installed_build().distribution: installed_build().version,
            },
            metrics={**about.metrics, **metrics},
            provenance=dict(about.provenance),
        )

    def sealed(self, metrics: Mapping[str, float]) -> tuple[bytes, OnnxContract]:
        """Return the file with contract and checksum, and the contract."""
        contract = self.contract(metrics)
        return sealed(self.graph, contract, self._entries()), contract


def columns(
    names: Iterable[str],
    units: Mapping[str, str],
    ranges: NDArray[np.floating],
    padding: float | None = None,
) -> tuple[Feature, ...]:
    """Return features by their names in a file; of each there are `ranges` (objects, k, 2)."""
    return tuple(
        Feature(name=name, unit=unit, padding=padding, range=_range_of(ranges[:, place]))
        for place, (name, unit) in enumerate(zip(names, units.values(), strict=True))
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


def _range_of(values: NDArray[np.floating]) -> tuple[float, float] | None:
    """Return a range as a contract has it, None where there was nothing to take it of."""
    low, high = float(values.min()), float(values.max())
    return (low, high) if np.isfinite([low, high]).all() else None


def _listed(values: Iterable[Any]) -> str:
    return ",".join(map(str, values))
