"""What an exported ONNX file says of itself, in its metadata."""

from typing import Literal

from pydantic import ValidationError

from rootflow.config import FoldsConfig
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
    type: Literal["float32", "bool"]
    shape: tuple[int | str, ...]
    meaning: str
    features: tuple[Feature, ...] = ()


class OnnxContract(Block):
    """What goes into an exported model, what comes out, and where it may be applied.

    `folds.held_out` is the fold that the model has not seen; `may_be_applied_to` says it
    in words. `provenance` says where the model came from: the dataset's digest, the run.
    """

    rootflow_version: str
    variant: Literal["named", "flat"]
    analysis: str
    model: str
    opset: int
    max_jets: int
    order: str
    padding: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    folds: FoldsConfig
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


def read_contract(metadata: dict[str, str], where: str) -> OnnxContract:
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
        return OnnxContract.model_validate_json(metadata[KEY])
    except ValidationError as error:
        places = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors())
        raise InputError(
            f"{where}: its metadata ({KEY}) are not what this version of rootflow reads "
            f"({places}): export the model again"
        ) from None
