"""Any signals and backgrounds, told apart by what their collections and features say."""

from collections.abc import Mapping
from typing import Any, Literal

from rootflow.analyses.tasks import ClassificationAnalysis
from rootflow.config import ClassificationConfig, CollectionsDataConfig


class CollectionsConfig(ClassificationConfig):
    """Everything that decides what rootflow does with events of any kind."""

    analysis: Literal["classification"]
    data: CollectionsDataConfig


class Classification(ClassificationAnalysis):
    """Tell classes of events apart, with no physics but what the YAML says."""

    name = "classification"
    config = CollectionsConfig

    def processes(self, config: CollectionsConfig) -> Mapping[str, Any]:  # noqa: ARG002
        """Return nothing: its ntuples come from elsewhere."""
        return {}
