"""The configuration: YAML, overrides on top, checked whole before anything runs."""

from rootflow.config.analysis import (
    ClassificationConfig,
    ClassificationEvaluationConfig,
    InputsConfig,
    ReconstructionConfig,
)
from rootflow.config.block import digest_of
from rootflow.config.data import CollectionsDataConfig, FoldingConfig, FoldsConfig
from rootflow.config.evaluation import EvaluationConfig
from rootflow.config.load import Config, change, load
from rootflow.config.model import BoostedTreesConfig, ClassifierConfig
from rootflow.config.plugin import OwnNetworkConfig
from rootflow.config.tuning import TuningConfig

__all__ = [
    "BoostedTreesConfig",
    "ClassificationConfig",
    "ClassificationEvaluationConfig",
    "ClassifierConfig",
    "CollectionsDataConfig",
    "Config",
    "EvaluationConfig",
    "FoldingConfig",
    "FoldsConfig",
    "InputsConfig",
    "OwnNetworkConfig",
    "ReconstructionConfig",
    "TuningConfig",
    "change",
    "digest_of",
    "load",
]
