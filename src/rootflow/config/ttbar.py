"""The configuration of the ttbar analysis."""

from pathlib import Path
from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from rootflow.config.block import Block
from rootflow.config.data import DataConfig
from rootflow.config.evaluation import Baseline, EvaluationConfig
from rootflow.config.export import ExportConfig
from rootflow.config.model import ModelConfig
from rootflow.config.simulation import SimulationConfig
from rootflow.config.tracking import TrackingConfig
from rootflow.config.training import ReconstructionTrainingConfig
from rootflow.config.tuning import TuningConfig


class TtbarConfig(Block):
    """Everything that decides what rootflow does with dileptonic ttbar events."""

    analysis: Literal["ttbar"]
    seed: int = Field(42, ge=0, lt=2**31)
    output: Path = Path("outputs")
    simulation: SimulationConfig = SimulationConfig()
    data: DataConfig
    model: ModelConfig
    training: ReconstructionTrainingConfig = ReconstructionTrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    export: ExportConfig = ExportConfig()
    tracking: TrackingConfig = TrackingConfig()
    tune: TuningConfig | None = None

    @model_validator(mode="after")
    def _methods_are_told_apart(self) -> Self:
        name, others = self.model.name, self.evaluation.methods
        if name in get_args(Baseline):
            raise ValueError(f"model.name: '{name}' is the name of another method")
        lender = self.evaluation.neutrinos
        known = ["model", "none", name, *(other for other in others if other == "truth")]
        if lender not in known:
            raise ValueError(f"evaluation.neutrinos: '{lender}' is none of {', '.join(known)}")
        return self
