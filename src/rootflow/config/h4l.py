"""The configuration of the H -> ZZ* -> 4 leptons analysis."""

from typing import Literal, Self

from pydantic import model_validator

from rootflow.config.analysis import AnalysisConfig
from rootflow.config.classification import ClassificationConfig
from rootflow.config.classifier import ClassifierConfig, InputsConfig
from rootflow.config.export import ClassifierExportConfig
from rootflow.config.four_lepton_simulation import FourLeptonSimulationConfig
from rootflow.config.promotion import ClassifierPromotionConfig
from rootflow.config.samples import LabelledDataConfig
from rootflow.config.training import TrainingConfig


class H4lConfig(AnalysisConfig):
    """Everything that decides what rootflow does with four-lepton events."""

    analysis: Literal["h4l"]
    simulation: FourLeptonSimulationConfig = FourLeptonSimulationConfig()
    data: LabelledDataConfig
    inputs: InputsConfig = InputsConfig()
    model: ClassifierConfig
    training: TrainingConfig = TrainingConfig()
    evaluation: ClassificationConfig = ClassificationConfig()
    export: ClassifierExportConfig = ClassifierExportConfig()
    promotion: ClassifierPromotionConfig = ClassifierPromotionConfig()

    @model_validator(mode="after")
    def _models_are_told_apart(self) -> Self:
        if self.model.name in [model.name for model in self.evaluation.compare_with]:
            raise ValueError(
                f"evaluation.compare_with: '{self.model.name}' is the name of the model itself"
            )
        return self
