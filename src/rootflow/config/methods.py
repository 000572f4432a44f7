"""Methods of an evaluation that come from elsewhere."""

from typing import Literal

from pydantic import Field

from rootflow.config.block import Block


class ModelMethodConfig(Block):
    """A trained model of another run, file or folder, beside the one under evaluation."""

    method: Literal["model"]
    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$", description="under which it is logged")
    source: str = Field(
        min_length=1,
        description="models:/NAME/VERSION or models:/NAME@ALIAS; runs:/RUN_ID of an export; "
        "a named ONNX file; or the folder of a training",
    )
