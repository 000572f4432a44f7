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
    CollectionsDataConfig,
    DataConfig,
    DileptonDataConfig,
    FoldingConfig,
    FoldsConfig,
    FourLeptonDataConfig,
    HeldOutConfig,
    LabelledDataConfig,
    LabelledWeightsConfig,
    OneSampleWeightsConfig,
    ReadingConfig,
    SelectionConfig,
    WeightsConfig,
)
from rootflow.config.digest import digest_of
from rootflow.config.evaluation import EvaluationConfig
from rootflow.config.export import ExportConfig
from rootflow.config.inputs import InputsConfig
from rootflow.config.load import Config, change, load
from rootflow.config.losses import LossesConfig
from rootflow.config.methods import ModelMethodConfig, VariantConfig
from rootflow.config.model import (
    CrossAttentionConfig,
    FeedForwardConfig,
    ModelConfig,
    OwnReconstructionNetworkConfig,
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
    FourLeptonSelectionConfig,
    LabelledSampleConfig,
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
    "HeldOutConfig",
    "InputsConfig",
    "LabelledDataConfig",
    "LabelledSampleConfig",
    "LabelledWeightsConfig",
    "LossesConfig",
    "ModelConfig",
    "ModelMethodConfig",
    "ObjectiveConfig",
    "OneSampleWeightsConfig",
    "OwnNetworkConfig",
    "OwnReconstructionNetworkConfig",
    "ProcessConfig",
    "PromotionConfig",
    "Range",
    "ReadingConfig",
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
