"""The two kinds of analyses: those that reconstruct events, and those that classify them."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rootflow.analysis import Analysis, Answer, Place
from rootflow.config import ClassificationConfig, FoldsConfig, ReconstructionConfig
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
        """Return the task of a network."""
        from rootflow.training.reconstruction import ReconstructionTask

        return ReconstructionTask(dataset, config, folds)

    def given(self, config: ReconstructionConfig, features: Features) -> Features:
        """Return the features that are inputs."""
        from rootflow.models import features_taken

        return features_taken(config.inputs, features)

    def decides(self, config: ReconstructionConfig) -> Mapping[str, Any]:
        """Return what networks are given."""
        return {"inputs": config.inputs}

    @property
    def evaluation(self) -> Any:
        """What evaluates networks beside the methods."""
        from rootflow.steps.reconstruction import evaluate

        return evaluate

    def beside(self, config: ReconstructionConfig) -> Mapping[str, Any]:
        """Return the variants of the model, each beside the same methods."""
        from rootflow.steps.methods import variants_of, without_variants

        evaluation = {"evaluation": without_variants(config.evaluation)}
        variants = variants_of(config)
        return {name: each.model_copy(update=evaluation) for name, each in variants.items()}

    @property
    def promotion(self) -> Any:
        """What decides between two networks."""
        from rootflow.steps.reconstruction import promotion

        return promotion

    def code(self, answer: Answer) -> Sequence[Place]:
        """Return what tells its answers from those of other tasks."""
        places: dict[Answer, list[Place]] = {
            "dataset": [_place(self.reading)],
            "network": [
                ("rootflow.training.reconstruction", "ReconstructionTask"),
                ("rootflow.config.losses", None),
            ],
            "trees": [],
            "application": [_place(self.reading)],
        }
        return places[answer]


class ClassificationAnalysis(Analysis):
    """Its models give each event the probability of being signal."""

    task = "classification"
    config: ClassVar[type[ClassificationConfig]]

    @property
    def reading(self) -> Any:
        """Any collections, and no physics."""
        from rootflow.dataset.readings.collections import Collections

        return Collections

    def make_task(self, dataset: Dataset, config: ClassificationConfig, folds: FoldsConfig) -> Any:
        """Return the task of a network."""
        from rootflow.training.classification import ClassificationTask

        return ClassificationTask(dataset, config, folds)

    def decides(self, config: ClassificationConfig) -> Mapping[str, Any]:
        """Return what the model sees, and how its classes are weighted."""
        return {
            "inputs": config.inputs,
            "class_balance": config.data.weights.class_balance,
        }

    @property
    def evaluation(self) -> Any:
        """What evaluates classifiers."""
        from rootflow.steps.classification import evaluate

        return evaluate

    def beside(self, config: ClassificationConfig) -> Mapping[str, Any]:
        """Return the configurations of the other models that are trained, alone."""
        from rootflow.steps.methods import variants_of

        alone = {"evaluation": config.evaluation.model_copy(update={"methods": []})}
        return {n: each.model_copy(update=alone) for n, each in variants_of(config).items()}

    @property
    def promotion(self) -> Any:
        """What decides between two classifiers."""
        from rootflow.steps.classification import promotion

        return promotion

    def code(self, answer: Answer) -> Sequence[Place]:
        """Return what tells its answers from those of other tasks."""
        places: dict[Answer, list[Place]] = {
            "dataset": [_place(self.reading)],
            "network": [("rootflow.training.classification", "ClassificationTask")],
            "trees": [("rootflow.training.classification", "ClassificationTask")],
            "application": [_place(self.reading)],
        }
        return places[answer]


def _place(defined: type[Any]) -> Place:
    return defined.__module__, defined.__qualname__
