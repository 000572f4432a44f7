"""The configuration: YAML, overrides on top, checked whole before anything runs."""

from rootflow.config.analysis import InputsConfig
from rootflow.config.block import Range, digest_of
from rootflow.config.classification import ClassificationConfig, ClassificationEvaluationConfig
from rootflow.config.classifier import (
    BoostedTreesConfig,
    ClassifierConfig,
    DeepSetConfig,
    FeedForwardClassifierConfig,
    SetTransformerClassifierConfig,
)
from rootflow.config.data import (
    CollectionsDataConfig,
    DataConfig,
    DileptonDataConfig,
    FoldingConfig,
    FoldsConfig,
    FourLeptonDataConfig,
    LabelledWeightsConfig,
    OneSampleWeightsConfig,
    ReadingConfig,
    SelectionConfig,
    WeightsConfig,
)
from rootflow.config.evaluation import EvaluationConfig
from rootflow.config.export import ExportConfig
from rootflow.config.load import Config, change, load
from rootflow.config.methods import ModelMethodConfig, VariantConfig
from rootflow.config.model import (
    BinnedNeutrinosConfig,
    CrossAttentionConfig,
    DirectNeutrinosConfig,
    FeedForwardConfig,
    FlowNeutrinosConfig,
    ModelConfig,
    NetworkModelConfig,
    OwnReconstructionNetworkConfig,
    RecurrentConfig,
    SetTransformerConfig,
)
from rootflow.config.plugin import OwnNetworkConfig
from rootflow.config.promotion import ClassifierPromotionConfig, ReconstructionPromotionConfig
from rootflow.config.reconstruction import ReconstructionConfig
from rootflow.config.samples import FourLeptonSelectionConfig, SampleConfig
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
    "ReadingConfig",
    "ReconstructionConfig",
    "ReconstructionPromotionConfig",
    "RecurrentConfig",
    "SampleConfig",
    "SelectionConfig",
    "SetTransformerClassifierConfig",
    "SetTransformerConfig",
    "SimulationConfig",
    "TrainingConfig",
    "TuningConfig",
    "VariantConfig",
    "WeightsConfig",
    "change",
    "digest_of",
    "load",
]
