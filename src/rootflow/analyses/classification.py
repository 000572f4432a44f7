"""Any signals and backgrounds, told apart by what their collections and features say."""

from typing import Literal

from rootflow.analyses.tasks import ClassificationAnalysis
from rootflow.config import ClassificationConfig, CollectionsDataConfig


class CollectionsConfig(ClassificationConfig):
    """Everything that decides what rootflow does with events of any kind."""

    analysis: Literal["classification"]
    data: CollectionsDataConfig


class Classification(ClassificationAnalysis):
    """Tell classes of events apart; of physics it has what the YAML says, and no simulation."""

    name = "classification"
    config = CollectionsConfig
