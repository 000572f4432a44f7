"""What the configurations of all analyses have in common."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from rootflow.config.block import Block
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


class AnalysisConfig(Block):
    """Settings that do not depend on the analysis."""

    analysis: str = Field(description="its name")
    seed: int = Field(42, ge=0, lt=2**31)
    output: Path = Path("outputs")
    tracking: TrackingConfig = TrackingConfig()
    tune: TuningConfig | None = None
