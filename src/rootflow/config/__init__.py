"""The configuration: YAML, overrides on top, checked whole before anything runs."""

from rootflow.config.analysis import (
    ClassificationConfig,
    ClassificationEvaluationConfig,
    InputsConfig,
    ReconstructionConfig,
)
from rootflow.config.block import Range, digest_of
from rootflow.config.data import (
    CollectionsDataConfig,
    DataConfig,
    DileptonDataConfig,
    FoldingConfig,
    FoldsConfig,
    FourLeptonDataConfig,
    FourLeptonSelectionConfig,
    LabelledWeightsConfig,
    OneSampleWeightsConfig,
)
from rootflow.config.evaluation import (
    ClassifierPromotionConfig,
    EvaluationConfig,
    ReconstructionPromotionConfig,
)
from rootflow.config.export import ExportConfig
from rootflow.config.load import Config, change, load
from rootflow.config.methods import ModelMethodConfig, VariantConfig
from rootflow.config.model import (
    BinnedNeutrinosConfig,
    BoostedTreesConfig,
    ClassifierConfig,
    CrossAttentionConfig,
    DeepSetConfig,
    DirectNeutrinosConfig,
    FeedForwardClassifierConfig,
    FeedForwardConfig,
    FlowNeutrinosConfig,
    ModelConfig,
    NetworkModelConfig,
    OwnReconstructionNetworkConfig,
    RecurrentConfig,
    SetTransformerClassifierConfig,
    SetTransformerConfig,
)
from rootflow.config.plugin import OwnNetworkConfig
from rootflow.config.simulation import (
    DileptonSimulationConfig,
    FourLeptonSimulationConfig,
    ProcessConfig,
    SimulationConfig,
)
from rootflow.config.training import TrainingConfig
from rootflow.config.tuning import CategoricalConfig, FloatConfig, ObjectiveConfig, TuningConfig

__all__ = [
    "BinnedNeutrinosConfig",
    "BoostedTreesConfig",
    "CategoricalConfig",
    "ClassificationConfig",
    "ClassificationEvaluationConfig",
    "ClassifierConfig",
    "ClassifierPromotionConfig",
    "CollectionsDataConfig",
    "Config",
    "CrossAttentionConfig",
    "DataConfig",
    "DeepSetConfig",
    "DileptonDataConfig",
    "DileptonSimulationConfig",
    "DirectNeutrinosConfig",
    "EvaluationConfig",
    "ExportConfig",
    "FeedForwardClassifierConfig",
    "FeedForwardConfig",
    "FloatConfig",
    "FlowNeutrinosConfig",
    "FoldingConfig",
    "FoldsConfig",
    "FourLeptonDataConfig",
    "FourLeptonSelectionConfig",
    "FourLeptonSimulationConfig",
    "InputsConfig",
    "LabelledWeightsConfig",
    "ModelConfig",
    "ModelMethodConfig",
    "NetworkModelConfig",
    "ObjectiveConfig",
    "OneSampleWeightsConfig",
    "OwnNetworkConfig",
    "OwnReconstructionNetworkConfig",
    "ProcessConfig",
    "Range",
    "ReconstructionConfig",
    "ReconstructionPromotionConfig",
    "RecurrentConfig",
    "SetTransformerClassifierConfig",
    "SetTransformerConfig",
    "SimulationConfig",
    "TrainingConfig",
    "TuningConfig",
    "VariantConfig",
    "change",
    "digest_of",
    "load",
]
