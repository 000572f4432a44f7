"""What an exported ONNX file says of itself, in its metadata: docs/onnx-contract.md."""

import hashlib
import json
from typing import Any, Final, Literal

from pydantic import ConfigDict, Field, ValidationError

from rootflow.analysis import TaskName
from rootflow.config import FoldingConfig, FoldsConfig
from rootflow.config.block import Block
from rootflow.dataset.events import Features
from rootflow.errors import InputError
from rootflow.sources import code_digest

KEY: Final = "rootflow.contract"
VERSION: Final = 2

INTERFACE_KEY: Final = "rootflow.interface"
# What a program must know that calls a model, and what of it differs from training to training
# or is only words.
INTERFACE = {"variant", "order", "padding", "collections", "inputs", "outputs", "folds"}
BESIDE: Any = {"__all__": {"meaning": True, "features": {"__all__": {"range"}}}}

Order = Literal["pt", "charge"]
KindOfOutput = Literal["probability", "momentum", "score"]
# How far a file may be off: for probabilities and scores the largest absolute difference; for
# momenta that of the vector, relative to its length or to 1 GeV, whichever is larger.
TOLERANCES: dict[KindOfOutput, float] = {"probability": 1e-5, "momentum": 1e-3, "score": 1e-5}


class Part(Block):
    """A part of a contract: all of its fields are always written."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class Feature(Part):
    """One column of a tensor.

    Attributes
    ----------
    padding
        What stands here where there is no such object; None where there always is one.
    range
        The smallest and the largest value of real objects in the simulated events of the
        training's dataset, all folds together: beyond it the model extrapolates. None of outputs.
    """

    name: str
    unit: str
    padding: float | None = None
    range: tuple[float, float] | None = None


class Tensor(Part):
    """An input or an output; a word in `shape` is an axis of any length.

    Attributes
    ----------
    unit
        That of every number, where `features` does not say it for each column.
    features
        The columns, along the last axis, in their order.
    """

    name: str
    type: Literal["float32", "int64", "bool"]
    shape: tuple[int | str, ...]
    meaning: str
    unit: str | None = None
    features: tuple[Feature, ...] = ()


class Collection(Part):
    """Objects of one kind that the model takes, however the tensors are laid out.

    Attributes
    ----------
    slots
        Objects that there is room for; None for what an event has once, as its MET.
    mask
        Input that says which slots are filled, in the named variant; None where all always are.
    order
        The objects' order: by falling pT, or the positive charge first; None for what has no slots.
    units
        Those of the features, in their order, as the file takes them.
    """

    name: str
    slots: int | None
    mask: str | None
    order: Order | None
    units: dict[str, str]


class OnnxContract(Part):
    """What goes into an exported model, what comes out, and where it may be applied.

    Attributes
    ----------
    task
        What the model does: assign jets and find neutrinos, or tell classes of events apart.
    variant
        How the tensors are laid out: each target of the export has one.
    precision
        That of the weights; inputs and outputs are float32 whatever it is.
    order, padding
        How the objects stand in the tensors, in words.
    held_out
        The fold that the model was not trained on; None where the file has a model for each
        fold, among which the input `fold` picks for each event.
    may_be_applied_to
        In words, the events that the model was not trained on.
    uses
        The features that the model looks at, by collection: it takes all, and passes over the
        others.
    classes
        What the columns of `probabilities` are of; empty of other outputs.
    branch_map
        How the ntuples of the training were read: all that the map says, or the name of a shipped
        one in files of earlier versions.
    selection
        Which events it was trained on, as the configuration says it.
    code
        Name of the code that computed the inputs of the training from ntuples; None where it is
        not known.
    dataset, git_commit, run_id, trained_at
        Digest of the dataset, commit of the training, the MLflow run of the export, and when
        the training ended (ISO 8601, UTC); None where it is not known.
    model_version
        In the registry; None in the file, which is made before: the registry fills it in.
    libraries
        Versions of those that made the file.
    metrics
        What was known at the export: the largest differences of the proof of parity, and of
        the training's best epoch what it measured on its validation events.
    provenance
        All else that is known of where the model came from.
    """

    contract_version: Literal[2] = VERSION
    rootflow_version: str
    task: TaskName
    analysis: str
    model: str
    opset: int
    variant: Literal["named", "flat", "athena"] = "named"
    precision: Literal["float32", "float16", "int8"] = "float32"
    order: str
    padding: str
    collections: tuple[Collection, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    folds: FoldingConfig
    held_out: int | None
    may_be_applied_to: str
    uses: dict[str, tuple[str, ...]]
    classes: tuple[str, ...] = ()
    branch_map: str | dict[str, Any]
    selection: dict[str, Any]
    code: str | None = None
    dataset: str | None = None
    git_commit: str | None = None
    run_id: str | None = None
    model_version: str | None = None
    trained_at: str | None = None
    libraries: dict[str, str] = Field(default_factory=dict)
    metrics: dict[str, float] = Field(default_factory=dict)
    provenance: dict[str, str]

    @property
    def features(self) -> Features:
        """Names along the last axis of each collection, as `Events.features` has them."""
        return {each.name: tuple(each.units) for each in self.collections}

    @property
    def slots(self) -> dict[str, int]:
        """Objects that there is room for, of each collection that has several."""
        return {each.name: each.slots for each in self.collections if each.slots is not None}

    @property
    def unseen(self) -> FoldsConfig:
        """The folds, `held_out` being the one that a file of one fold was not trained on."""
        return FoldsConfig(**self.folds.model_dump(), held_out=self.held_out)

    @property
    def interface(self) -> str:
        """The SHA-256 of what goes in, what comes out, and how events are divided into folds.

        Models with the same one may stand in for each other, each for the events of its own
        fold: names, units, order and shapes agree, and so do the number of folds and their
        scheme. Where a model comes from, and which fold it has not seen, do not count.
        """
        exclude = {"inputs": BESIDE, "outputs": BESIDE}
        asked = self.model_dump(mode="json", include=INTERFACE, exclude=exclude)
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def read_contract(metadata: dict[str, str], where: str) -> OnnxContract:
    """Return the contract in a file's metadata; none that can be read is an InputError."""
    if KEY not in metadata:
        raise InputError(
            f"{where}: an ONNX file without rootflow's metadata ({KEY}): "
            "give one that `rootflow export` wrote"
        )
    version = _version(metadata[KEY])
    if version != VERSION:
        raise InputError(
            f"{where}: its contract ({KEY}) is of version {version}, and this version of rootflow "
            f"reads version {VERSION}: export the model again"
        )
    try:
        return OnnxContract.model_validate_json(metadata[KEY])
    except ValidationError as error:
        places = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors())
        raise InputError(
            f"{where}: its metadata ({KEY}) are not what this version of rootflow reads "
            f"({places}): export the model again"
        ) from None


OtherCode = Literal["refuse", "warn"]


def check_code(contract: OnnxContract, where: str, allowed: OtherCode) -> str | None:
    """Return how the code of the inputs differs, None if not; an InputError unless allowed."""
    here = code_digest(contract.analysis, "dataset")
    if contract.code == here:
        return None
    by = f"by code {contract.code}" if contract.code else "by code that it does not name"
    differs = (
        f"the inputs of its training were computed {by} (rootflow {contract.rootflow_version}), "
        f"here they are by code {here}"
    )
    if allowed == "refuse":
        raise InputError(
            f"{where}: {differs}: train and export again, go back to that code, or let it "
            "through with --other-code warn"
        )
    return differs


def json_schema() -> str:
    """Return the contract's JSON schema, as docs/onnx-contract.schema.json has it."""
    return json.dumps(OnnxContract.model_json_schema(mode="serialization"), indent=2) + "\n"


def _version(text: str) -> Any:
    """Return the version that a contract says it is of, 0 where it says none."""
    try:
        said = json.loads(text)
    except ValueError:
        return 0
    return said.get("contract_version", 0) if isinstance(said, dict) else 0
