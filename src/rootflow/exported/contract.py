"""What an exported ONNX file says of itself, in its metadata."""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from rootflow.config import FoldingConfig, FoldsConfig, InputsConfig
from rootflow.config.block import Block
from rootflow.dataset.events import Features
from rootflow.errors import InputError

KEY = "rootflow.contract"


class Feature(Block):
    """One column of a tensor."""

    name: str
    unit: str


class Tensor(Block):
    """An input or an output."""

    name: str
    type: Literal["float32", "int64", "bool"]
    shape: tuple[int | str, ...]
    meaning: str
    features: tuple[Feature, ...] = ()


class OnnxContract(Block):
    """What goes into an exported model, what comes out, and where it may be applied.

    `may_be_applied_to` says in words which folds the model has not seen. `provenance` says
    where the model came from: the dataset's digest, the run.
    """

    rootflow_version: str
    analysis: str
    model: str
    opset: int
    order: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    may_be_applied_to: str
    provenance: dict[str, str]

    @property
    def features(self) -> Features:
        """Names along the last axis of each input, as `Events.features` has them."""
        return {
            tensor.name: tuple(feature.name for feature in tensor.features)
            for tensor in self.inputs
            if tensor.features
        }


class ReconstructionContract(OnnxContract):
    """Of a network that assigns jets; `folds.held_out` is the fold that it has not seen.

    Attributes
    ----------
    branch_map, selection
        As in `ClassifierContract`; None in files that are older than these fields.
    """

    variant: Literal["named", "flat"]
    max_jets: int
    padding: str
    folds: FoldsConfig
    branch_map: str | dict[str, Any] | None = None
    selection: dict[str, Any] | None = None


class ClassifierContract(OnnxContract):
    """Of a model, or one for each fold, that tells signal from background.

    Attributes
    ----------
    variant
        `fold`: one model, for the events of the fold `held_out`; `all_folds`: one for each
        fold, and the input `fold` picks among them for each event.
    uses
        The features that the model looks at: it takes all, and passes over the others.
    branch_map
        How the ntuples of the training were read: the map's name, or all that it says.
    selection
        Which events it was trained on, as the configuration says it.
    """

    variant: Literal["fold", "all_folds"]
    folds: FoldingConfig
    held_out: int | None
    uses: InputsConfig
    branch_map: str | dict[str, Any]
    selection: dict[str, Any]


Contract = Annotated[ReconstructionContract | ClassifierContract, Field(discriminator="variant")]
CONTRACT: TypeAdapter[ReconstructionContract | ClassifierContract] = TypeAdapter(Contract)


def read_contract(
    metadata: dict[str, str], where: str
) -> ReconstructionContract | ClassifierContract:
    """Return the contract in a file's metadata.

    Raises
    ------
    InputError
        There is none, or not one that this version of rootflow understands.
    """
    if KEY not in metadata:
        raise InputError(
            f"{where}: an ONNX file without rootflow's metadata ({KEY}): "
            "give one that `rootflow export` wrote"
        )
    try:
        return CONTRACT.validate_json(metadata[KEY])
    except ValidationError as error:
        places = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors())
        places = places or "variant"
        raise InputError(
            f"{where}: its metadata ({KEY}) are not what this version of rootflow reads "
            f"({places}): export the model again"
        ) from None
