"""The configuration of analyses that reconstruct events: assign jets, give the neutrinos."""

from typing import Self

from pydantic import Field, model_validator

from rootflow.config.analysis import AnalysisConfig, InputsConfig
from rootflow.config.classifier import BoostedTreesConfig
from rootflow.config.data import DileptonDataConfig
from rootflow.config.evaluation import EvaluationConfig
from rootflow.config.export import ExportConfig
from rootflow.config.methods import METHODS, MODEL, with_neutrinos
from rootflow.config.model import ModelConfig
from rootflow.config.promotion import ReconstructionPromotionConfig
from rootflow.config.training import ReconstructionTrainingConfig


class ReconstructionConfig(AnalysisConfig):
    """What analyses that reconstruct events have in common."""

    data: DileptonDataConfig
    inputs: InputsConfig | None = Field(
        None, description="features that models take, by collection; none: all of the dataset"
    )
    model: ModelConfig
    training: ReconstructionTrainingConfig = ReconstructionTrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    export: ExportConfig = ExportConfig()
    promotion: ReconstructionPromotionConfig = ReconstructionPromotionConfig()

    @model_validator(mode="after")
    def _methods_are_told_apart(self) -> Self:
        name, others = self.model.name, self.evaluation.methods
        if name in set(METHODS) - {MODEL} or name in self.evaluation.method_names:
            raise ValueError(f"model.name: '{name}' is the name of another method")
        lender = self.evaluation.neutrinos
        known = ["model", "none", name, *with_neutrinos(others)]
        if lender not in known:
            raise ValueError(f"evaluation.neutrinos: '{lender}' is none of {', '.join(known)}")
        return self

    @model_validator(mode="after")
    def _losses_go_with_the_head(self) -> Self:
        if isinstance(self.model, BoostedTreesConfig):
            return self
        try:
            self.training.losses.of_neutrinos(self.model.neutrinos.head)
        except ValueError as error:
            raise ValueError(f"training.losses.neutrinos.{error}") from None
        return self
