"""The configuration: YAML, overrides on top, checked whole before anything runs."""

from rootflow.config.classification import (
    ClassificationConfig,
    ClassificationEvaluationConfig,
    Range,
)
from rootflow.config.classifier import (
    BoostedTreesConfig,
    ClassifierConfig,
    DeepSetConfig,
    FeedForwardClassifierConfig,
    SetTransformerClassifierConfig,
)
from rootflow.config.data import (
    DataConfig,
    FoldingConfig,
    FoldsConfig,
    HeldOutConfig,
    SelectionConfig,
    WeightsConfig,
)
from rootflow.config.digest import digest_of
from rootflow.config.evaluation import EvaluationConfig
from rootflow.config.export import ClassifierExportConfig, ExportConfig
from rootflow.config.inputs import InputsConfig
from rootflow.config.load import Config, change, load
from rootflow.config.losses import LossesConfig
from rootflow.config.methods import ModelMethodConfig, VariantConfig
from rootflow.config.model import (
    CrossAttentionConfig,
    FeedForwardConfig,
    ModelConfig,
    RecurrentConfig,
    SetTransformerConfig,
)
from rootflow.config.neutrinos import (
    BinnedNeutrinosConfig,
    DirectNeutrinosConfig,
    FlowNeutrinosConfig,
)
from rootflow.config.plugin import OwnNetworkConfig
from rootflow.config.promotion import (
    ClassifierPromotionConfig,
    PromotionConfig,
    ReconstructionPromotionConfig,
)
from rootflow.config.reconstruction import ReconstructionConfig
from rootflow.config.samples import (
    ExpectationConfig,
    FourLeptonSelectionConfig,
    LabelledDataConfig,
    SampleConfig,
)
from rootflow.config.simulation import (
    DileptonSimulationConfig,
    FourLeptonSimulationConfig,
    ProcessConfig,
    SimulationConfig,
)
from rootflow.config.tracking import TrackingConfig
from rootflow.config.training import ReconstructionTrainingConfig, TrainingConfig
from rootflow.config.tuning import CategoricalConfig, FloatConfig, ObjectiveConfig, TuningConfig

__all__ = [
    "BinnedNeutrinosConfig",
    "BoostedTreesConfig",
    "CategoricalConfig",
    "ClassificationConfig",
    "ClassificationEvaluationConfig",
    "ClassifierConfig",
    "ClassifierExportConfig",
    "ClassifierPromotionConfig",
    "Config",
    "CrossAttentionConfig",
    "DataConfig",
    "DeepSetConfig",
    "DileptonSimulationConfig",
    "DirectNeutrinosConfig",
    "EvaluationConfig",
    "ExpectationConfig",
    "ExportConfig",
    "FeedForwardClassifierConfig",
    "FeedForwardConfig",
    "FloatConfig",
    "FlowNeutrinosConfig",
    "FoldingConfig",
    "FoldsConfig",
    "FourLeptonSelectionConfig",
    "FourLeptonSimulationConfig",
    "HeldOutConfig",
    "InputsConfig",
    "LabelledDataConfig",
    "LossesConfig",
    "ModelConfig",
    "ModelMethodConfig",
    "ObjectiveConfig",
    "OwnNetworkConfig",
    "ProcessConfig",
    "PromotionConfig",
    "Range",
    "ReconstructionConfig",
    "ReconstructionPromotionConfig",
    "ReconstructionTrainingConfig",
    "RecurrentConfig",
    "SampleConfig",
    "SelectionConfig",
    "SetTransformerClassifierConfig",
    "SetTransformerConfig",
    "SimulationConfig",
    "TrackingConfig",
    "TrainingConfig",
    "TuningConfig",
    "VariantConfig",
    "WeightsConfig",
    "change",
    "digest_of",
    "load",
]
