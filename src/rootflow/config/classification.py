"""The configuration of analyses that tell signal from background, and their evaluation."""

from typing import Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from rootflow.config.analysis import AnalysisConfig
from rootflow.config.block import Block
from rootflow.config.classifier import ClassifierConfig
from rootflow.config.export import ClassifierExportConfig
from rootflow.config.inputs import InputsConfig
from rootflow.config.promotion import ClassifierPromotionConfig
from rootflow.config.samples import LabelledDataConfig, Window
from rootflow.config.training import TrainingConfig


class ClassificationEvaluationConfig(Block):
    """What the model is compared with, and how."""

    compare_with: list[ClassifierConfig] = Field(
        default_factory=list, description="models trained on the same inputs, beside the model"
    )
    replicas: int = Field(500, ge=2, le=100_000, description="bootstrap replicas behind each error")
    score_bins: PositiveInt = Field(20, le=10_000, description="of the score, from 0 to 1")
    mass_window_gev: Window = Field((70.0, 250.0), description="of the figures of m(4l)")
    mass_bins: PositiveInt = Field(36, le=10_000)
    sculpting_bins: int = Field(
        4, ge=2, le=1000, description="bins of the score with the same background, for its m(4l)"
    )
    significance_window_gev: Window | None = Field(
        None,
        description="of m(4l): only events within count in cuts, yields after them and fits; "
        "none: all do",
    )
    background_uncertainty: NonNegativeFloat = Field(
        0.1, description="relative, of the expected background, in significances"
    )
    luminosity_uncertainty: NonNegativeFloat = Field(
        0.017, description="relative; 13 TeV, 2015 and 2016: 1.7 % (ATLAS Open Data, 2020)"
    )
    importance_events: PositiveInt = Field(
        20_000, description="at most so many events behind the permutation importance"
    )
    style: Literal["neutral", "ATLAS", "CMS"] = Field("neutral", description="of the figures")
    energy_tev: PositiveFloat | None = Field(
        None, description="centre-of-mass energy for the figures' labels; none: not said"
    )

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        names = [model.name for model in self.compare_with]
        if len(set(names)) < len(names):
            raise ValueError("compare_with: each model needs a name of its own")
        return self


class ClassificationConfig(AnalysisConfig):
    """What analyses that tell signal from background have in common."""

    data: LabelledDataConfig
    inputs: InputsConfig
    model: ClassifierConfig
    training: TrainingConfig = TrainingConfig()
    evaluation: ClassificationEvaluationConfig = ClassificationEvaluationConfig()
    export: ClassifierExportConfig = ClassifierExportConfig()
    promotion: ClassifierPromotionConfig = ClassifierPromotionConfig()

    @model_validator(mode="after")
    def _models_are_told_apart(self) -> Self:
        if self.model.name in [model.name for model in self.evaluation.compare_with]:
            raise ValueError(
                f"evaluation.compare_with: '{self.model.name}' is the name of the model itself"
            )
        return self
