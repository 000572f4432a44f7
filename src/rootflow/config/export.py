"""Settings of the export."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, NonNegativeFloat

from rootflow.analysis import TaskName
from rootflow.config.block import Block, Name

Target = Literal["named", "topcptoolkit-flat", "athena"]
Precision = Literal["float32", "float16", "int8"]
Converter = Literal["tf2onnx", "keras"]
DEFAULT_TARGETS: dict[TaskName, tuple[Target, ...]] = {
    "reconstruction": ("named", "topcptoolkit-flat"),
    "classification": ("named",),
}


def _each_once_with(needed: str) -> AfterValidator:
    def check(values: tuple[str, ...]) -> tuple[str, ...]:
        if needed not in values or len(set(values)) < len(values):
            raise ValueError(f"name each once, {needed} among them")
        return values

    return AfterValidator(check)


class ExportConfig(Block):
    """The ONNX files and the registered models."""

    targets: Annotated[tuple[Target, ...], _each_once_with("named")] | None = Field(
        None,
        description="who reads the files: named for Python and the registry, always among them; "
        "topcptoolkit-flat and athena for C++; none: named, and of reconstruction "
        "topcptoolkit-flat",
    )
    all_folds: bool | None = Field(
        None,
        description="beside the files of each fold one with the models of all, which takes the "
        "fold as an input, and is what is registered; none: for classification",
    )
    opset: int = Field(
        17, ge=15, le=20, description="of ONNX: what the runtime that reads the files knows"
    )
    converter: Converter = Field(
        "tf2onnx", description="of networks to ONNX; keras: Keras' own exporter"
    )
    input_units: Literal["GeV", "MeV"] = Field(
        "GeV", description="of the inputs of the named target; its momenta come out in GeV"
    )
    precisions: Annotated[tuple[Precision, ...], _each_once_with("float32")] = Field(
        ("float32",),
        description="of the weights of networks: float16 and int8 make more, smaller files",
    )
    accuracy_loss_max: NonNegativeFloat = Field(
        0.002,
        description="largest loss by float16 or int8: of assignment accuracy, or of a "
        "classifier's AUC",
    )
    registered_model: Name | None = Field(
        None, description="name in the MLflow registry; none: that of the analysis"
    )

    def targets_of(self, task: TaskName) -> tuple[Target, ...]:
        """Return the targets of a task's models."""
        return self.targets or DEFAULT_TARGETS[task]
