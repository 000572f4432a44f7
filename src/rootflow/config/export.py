"""Settings of the export."""

from pydantic import Field

from rootflow.config.block import Block, Name


class ExportConfig(Block):
    """The ONNX files and the registered model."""

    opset: int = Field(
        17, ge=15, le=18, description="of ONNX: what the runtime that reads the files knows"
    )
    registered_model: Name | None = Field(
        None, description="name in the MLflow registry; none: that of the analysis"
    )
