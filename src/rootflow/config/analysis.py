"""What the configurations of all analyses have in common."""

from pathlib import Path

from pydantic import Field

from rootflow.config.block import Block
from rootflow.config.tracking import TrackingConfig
from rootflow.config.tuning import TuningConfig


class AnalysisConfig(Block):
    """Settings that do not depend on the analysis."""

    analysis: str = Field(description="its name")
    seed: int = Field(42, ge=0, lt=2**31)
    output: Path = Path("outputs")
    tracking: TrackingConfig = TrackingConfig()
    tune: TuningConfig | None = None
