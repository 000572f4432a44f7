"""The configuration: YAML, overrides on top, checked whole before anything runs."""

from rootflow.config.data import DataConfig, FoldsConfig, WeightsConfig
from rootflow.config.digest import digest_of
from rootflow.config.evaluation import EvaluationConfig
from rootflow.config.export import ExportConfig
from rootflow.config.load import Config, load
from rootflow.config.model import FeedForwardConfig, ModelConfig, SetTransformerConfig
from rootflow.config.simulation import SimulationConfig
from rootflow.config.tracking import TrackingConfig
from rootflow.config.training import TrainingConfig

__all__ = [
    "Config",
    "DataConfig",
    "EvaluationConfig",
    "ExportConfig",
    "FeedForwardConfig",
    "FoldsConfig",
    "ModelConfig",
    "SetTransformerConfig",
    "SimulationConfig",
    "TrackingConfig",
    "TrainingConfig",
    "WeightsConfig",
    "digest_of",
    "load",
]
