"""The configuration of the H -> ZZ* -> 4 leptons analysis."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from rootflow.config.block import Block
from rootflow.config.classification import ClassificationConfig
from rootflow.config.classifier import ClassifierConfig, InputsConfig
from rootflow.config.export import ExportConfig
from rootflow.config.four_lepton_simulation import FourLeptonSimulationConfig
from rootflow.config.samples import LabelledDataConfig
from rootflow.config.tracking import TrackingConfig
from rootflow.config.training import TrainingConfig
from rootflow.config.tuning import TuningConfig


class H4lConfig(Block):
    """Everything that decides what rootflow does with four-lepton events."""

    analysis: Literal["h4l"]
    seed: int = Field(42, ge=0, lt=2**31)
    output: Path = Path("outputs")
    simulation: FourLeptonSimulationConfig = FourLeptonSimulationConfig()
    data: LabelledDataConfig
    inputs: InputsConfig = InputsConfig()
    model: ClassifierConfig
    training: TrainingConfig = TrainingConfig()
    evaluation: ClassificationConfig = ClassificationConfig()
    export: ExportConfig = ExportConfig()
    tracking: TrackingConfig = TrackingConfig()
    tune: TuningConfig | None = None

    @model_validator(mode="after")
    def _models_are_told_apart(self) -> Self:
        if self.model.name in [model.name for model in self.evaluation.compare_with]:
            raise ValueError(
                f"evaluation.compare_with: '{self.model.name}' is the name of the model itself"
            )
        return self
