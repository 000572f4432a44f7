"""Learning which jets are those of the b quarks, and the neutrinos' momenta."""

from collections.abc import Mapping

import keras

from rootflow.config import FoldsConfig, TtbarConfig
from rootflow.dataset import Dataset, Events
from rootflow.dataset.weights import training_weights
from rootflow.errors import InputError
from rootflow.models import (
    ANY_NUMBER_OF_JETS,
    AssignmentAccuracy,
    AssignmentLoss,
    MatchedAUC,
    NeutrinoLoss,
    NoMatchLoss,
    PairAccuracy,
    build_model,
    fit_normalisation,
    training_network,
)
from rootflow.training.record import Fact
from rootflow.training.samples import Arrays, Sample, Samples
from rootflow.training.split import split
from rootflow.training.task import Metrics, mean_of

EVENTS_TO_NORMALISE = 200_000


class ReconstructionTask:
    """The task of the ttbar analysis.

    Raises
    ------
    InputError
        The dataset has no truth, one of the samples has no events, or its weights do not
        add up to anything positive.
    """

    def __init__(self, dataset: Dataset, config: TtbarConfig, folds: FoldsConfig) -> None:
        events = dataset.events()
        if events.assignment is None or events.neutrinos is None:
            raise InputError(f"{dataset.path}: these events have no truth: nothing can be learnt")
        parts = split(events, folds, config.training.validation_fraction)
        policy = config.data.weights.negative
        training, validation = (training_weights(events.weight[part], policy) for part in parts)
        self.samples = Samples(
            Sample(dataset, parts.training, training.weight, _read),
            Sample(dataset, parts.validation, validation.weight, _read),
        )
        self._report = training.report
        normalisation = fit_normalisation(
            self.samples.training.evenly(EVENTS_TO_NORMALISE).chunks()
        )
        self.network: keras.Model = build_model(
            config.model, dataset.features, dataset.manifest.max_jets, normalisation
        )
        self.trained: keras.Model = training_network(self.network)
        self.trims = config.model.architecture in ANY_NUMBER_OF_JETS
        no_match = config.model.no_match
        self.losses: Mapping[str, keras.Loss] = {
            "assignment": NoMatchLoss() if no_match else AssignmentLoss(),
            "neutrinos": NeutrinoLoss(normalisation.neutrino_scales),
        }
        self.loss_weights: Mapping[str, float] = {
            "assignment": 1.0,
            "neutrinos": config.training.neutrino_loss_weight,
        }
        self.weighted_metrics: Mapping[str, list[keras.Metric]] = {
            "assignment": [
                *([PairAccuracy(), MatchedAUC()] if no_match else [AssignmentAccuracy()]),
                mean_of(self.losses["assignment"]),
            ],
            "neutrinos": [mean_of(self.losses["neutrinos"])],
        }

    def metrics(self, logs: Mapping[str, float]) -> Metrics:
        """Return the two losses, their sum, and how good the assignment is."""
        assignment, neutrino = logs["assignment_mean"], logs["neutrinos_mean"]
        area = "assignment_matched_auc"
        return {
            "loss": assignment + self.loss_weights["neutrinos"] * neutrino,
            "assignment_loss": assignment,
            "neutrino_loss": neutrino,
            "assignment_accuracy": logs["assignment_accuracy"],
            **({"matched_auc": logs[area]} if area in logs else {}),
        }

    def metrics_of(self, _: Sample) -> Metrics:
        """Return nothing: every metric is a mean over batches."""
        return {}

    def note(self, metrics: Mapping[str, float]) -> str:
        """Return loss and accuracy in words."""
        return "loss {loss:.4f} validation accuracy {validation_assignment_accuracy:.4f}".format(
            **metrics
        )

    def facts(self) -> dict[str, Fact]:
        """Return what became of the weights."""
        return {
            "negative_weights": self._report.policy,
            "negative_weight_fraction": self._report.negative_fraction,
            "effective_events_before": self._report.effective_events_before,
            "effective_events_after": self._report.effective_events_after,
        }


def _read(events: Events) -> tuple[Arrays, Arrays]:
    return events.inputs(), events.targets()
