"""The two kinds of analyses: those that reconstruct events, and those that classify them."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rootflow.analysis import Analysis, Answer, Place
from rootflow.config import (
    BoostedTreesConfig,
    ClassificationConfig,
    FoldsConfig,
    ReconstructionConfig,
)
from rootflow.dataset import Dataset, Features


class ReconstructionAnalysis(Analysis):
    """Its models assign jets to partons and give the momenta of neutrinos."""

    task = "reconstruction"
    config: ClassVar[type[ReconstructionConfig]]

    def sample_files(self, config: ReconstructionConfig) -> Mapping[str, tuple[str, Sequence[str]]]:
        """Return the files of each sample, or of the one that is unnamed."""
        if not config.data.samples:
            return {self.name: ("data.files", config.data.files)}
        return super().sample_files(config)

    @property
    def reading(self) -> Any:
        """Two leptons, jets, and what the generator says."""
        from rootflow.dataset.readings.dilepton import Dilepton

        return Dilepton

    def make_task(self, dataset: Dataset, config: ReconstructionConfig, folds: FoldsConfig) -> Any:
        """Return the task of trees, or of a network."""
        if isinstance(config.model, BoostedTreesConfig):
            from rootflow.training.reconstruction_trees import ReconstructionTreesTask

            return ReconstructionTreesTask(dataset, config, folds)
        from rootflow.training.reconstruction import ReconstructionTask

        return ReconstructionTask(dataset, config, folds)

    def given(self, config: ReconstructionConfig, features: Features) -> Features:
        """Return the features that are inputs."""
        from rootflow.models.architectures import features_taken

        return features_taken(config.inputs, features)

    def decides(self, config: ReconstructionConfig) -> Mapping[str, Any]:
        """Return what models are given."""
        return {"inputs": config.inputs}

    @property
    def steps(self) -> Any:
        """How networks are evaluated beside the methods, and two of them compared."""
        from rootflow.steps import reconstruction

        return reconstruction

    def code(self, answer: Answer) -> Sequence[Place]:
        """Return what tells its answers from those of other tasks."""
        if answer == "network":
            return [
                ("rootflow.training.reconstruction", "ReconstructionTask"),
                ("rootflow.config.training", "LossesConfig"),
            ]
        if answer == "trees":
            return [("rootflow.training.reconstruction_trees", "ReconstructionTreesTask")]
        return [_place(self.reading)]


class ClassificationAnalysis(Analysis):
    """Its models give each event the probability of being signal."""

    task = "classification"
    config: ClassVar[type[ClassificationConfig]]

    @property
    def reading(self) -> Any:
        """Any collections, and no physics."""
        from rootflow.dataset.reading import Collections

        return Collections

    def make_task(self, dataset: Dataset, config: ClassificationConfig, folds: FoldsConfig) -> Any:
        """Return the task of a network."""
        from rootflow.training.classification import ClassificationTask

        return ClassificationTask(dataset, config, folds)

    def decides(self, config: ClassificationConfig) -> Mapping[str, Any]:
        """Return what the model sees, and how its classes are weighted."""
        return {"inputs": config.inputs, "class_balance": config.data.weights.class_balance}

    @property
    def steps(self) -> Any:
        """How classifiers are evaluated, and two of them compared."""
        from rootflow.steps import classification

        return classification

    def code(self, answer: Answer) -> Sequence[Place]:
        """Return what tells its answers from those of other tasks."""
        if answer in ("network", "trees"):
            return [("rootflow.training.classification", "ClassificationTask")]
        return [_place(self.reading)]


def _place(defined: type[Any]) -> Place:
    return defined.__module__, defined.__qualname__
