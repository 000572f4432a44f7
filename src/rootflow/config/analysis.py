"""The configurations of analyses of both tasks."""

from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, NonNegativeFloat, PositiveInt, model_validator

from rootflow.config.block import Block, Range
from rootflow.config.data import DileptonDataConfig, LabelledDataConfig
from rootflow.config.evaluation import (
    ClassifierPromotionConfig,
    EvaluationConfig,
    FiguresConfig,
    ReconstructionPromotionConfig,
)
from rootflow.config.export import ExportConfig
from rootflow.config.methods import METHODS, MODEL, ClassifierMethodConfigs
from rootflow.config.model import BoostedTreesConfig, ClassifierConfig, ModelConfig
from rootflow.config.training import ClassifierTrainingConfig, ReconstructionTrainingConfig
from rootflow.config.tuning import TuningConfig


def _something_once(inputs: dict[str, list[str]]) -> dict[str, list[str]]:
    if not any(inputs.values()):
        raise ValueError("name at least one input")
    for collection, names in inputs.items():
        if len(set(names)) < len(names):
            raise ValueError(f"{collection}: each input can be named once")
    return inputs


# By collection, as the branch map names it, the features of each of its objects; `met` and `event`
# have one object. A collection without features is left out. All models that are compared are
# given the same.
InputsConfig = Annotated[dict[str, list[str]], AfterValidator(_something_once)]


class TrackingConfig(Block):
    """Where runs are kept. MLFLOW_TRACKING_URI, where set, says the server."""

    experiment: str | None = Field(None, description="none: the name of the analysis")
    system_metrics: bool = Field(
        True, description="CPU, memory and GPUs of the machine with each epoch of a training"
    )


class AnalysisConfig(Block):
    """Settings that do not depend on the analysis."""

    analysis: str = Field(description="its name")
    seed: int = Field(42, ge=0, lt=2**31)
    output: Path = Path("outputs")
    tracking: TrackingConfig = TrackingConfig()
    tune: TuningConfig | None = None


class ClassificationEvaluationConfig(FiguresConfig):
    """What the model is compared with, and how."""

    RENAMED: ClassVar[dict[str, str]] = {
        "compare_with": "methods",
        "mass_window_gev": "observable_window",
        "mass_bins": "observable_bins",
        "significance_window_gev": "significance_window",
    }

    methods: ClassifierMethodConfigs = Field(
        default_factory=list,
        description="what stands beside the model: other architectures on the same inputs, "
        "variants of the model, models from elsewhere, ensembles",
    )
    replicas: int = Field(500, ge=2, le=100_000, description="bootstrap replicas behind each error")
    score_bins: PositiveInt = Field(20, le=10_000, description="of the score, from 0 to 1")
    signal: list[str] = Field(
        ["signal"], min_length=1, description="labels of samples: what cuts and fits look for"
    )
    observable: str | None = Field(
        None,
        description="what is drawn beside the score and must not be sculpted by it: a feature of "
        "the event, or package.module:function of Events; none: nothing is",
    )
    observable_title: str | None = Field(
        None, description="in figures, may have $LaTeX$; none: its name"
    )
    observable_unit: str | None = Field(None, description="none: that of the feature")
    observable_window: Range | None = Field(None, description="of its figures")
    observable_bins: PositiveInt = Field(40, le=10_000)
    sculpting_bins: int = Field(
        4, ge=2, le=1000, description="bins of the score with the same background, for sculpting"
    )
    significance_window: Range | None = Field(
        None,
        description="of the observable: only events within count in cuts, yields after them and "
        "fits; none: all do",
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

    @model_validator(mode="after")
    def _windows_are_of_an_observable(self) -> Self:
        if self.observable is None and self.significance_window is not None:
            raise ValueError("significance_window: name the observable whose window it is")
        if self.observable is not None and self.observable_window is None:
            raise ValueError(f"observable_window: name the range of {self.observable} in figures")
        return self


class ClassificationConfig(AnalysisConfig):
    """What analyses that tell signal from background have in common."""

    data: LabelledDataConfig
    inputs: InputsConfig
    model: ClassifierConfig
    training: ClassifierTrainingConfig = ClassifierTrainingConfig()
    evaluation: ClassificationEvaluationConfig = ClassificationEvaluationConfig()
    export: ExportConfig = ExportConfig()
    promotion: ClassifierPromotionConfig = ClassifierPromotionConfig()

    @model_validator(mode="after")
    def _models_are_told_apart(self) -> Self:
        if self.model.name in [each.name for each in self.evaluation.methods]:
            raise ValueError(
                f"evaluation.methods: '{self.model.name}' is the name of the model itself"
            )
        return self

    @model_validator(mode="after")
    def _trees_learn_by_cross_entropy(self) -> Self:
        if self.model.architecture == "boosted_trees" and self.training.loss != "cross_entropy":
            raise ValueError("training.loss: boosted trees learn by cross_entropy alone")
        return self


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
        if name in set(METHODS) - {MODEL} or name in [each.name for each in others]:
            raise ValueError(f"model.name: '{name}' is the name of another method")
        lender = self.evaluation.neutrinos
        known = ["model", "none", name, *(each.name for each in others if each.gives_neutrinos)]
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
