"""Learning which jets are those of the b quarks, and the neutrinos' momenta."""

from collections.abc import Mapping

import keras
import numpy as np

from rootflow.config import BoostedTreesConfig, FoldsConfig, ReconstructionConfig
from rootflow.config.training import LOSS
from rootflow.dataset import Dataset, Events
from rootflow.dataset.weights import training_weights
from rootflow.errors import InputError
from rootflow.models.architectures import build_model, features_taken
from rootflow.models.layers import CONFIDENCE
from rootflow.models.losses import AssignmentAccuracy, MatchedAUC
from rootflow.models.networks import ANY_NUMBER_OF_JETS
from rootflow.models.neutrinos import known_neutrinos, tails
from rootflow.models.neutrinos.heads import COMPONENTS, FlowNeutrinos
from rootflow.models.normalisation import fit_normalisation
from rootflow.models.objective import PER_EVENT, TRUE_NEUTRINOS, event_targets, with_losses
from rootflow.models.own import own_assignment_loss, own_neutrino_loss
from rootflow.training.record import Fact
from rootflow.training.samples import Arrays, Read, Samples, batches, in_order, split
from rootflow.training.task import Metrics, Task, mean_of

EVENTS_TO_NORMALISE = 200_000
BATCH = 2048
# Of the area under a ROC curve.
THRESHOLDS = 500


class ReconstructionTask(Task):
    """The task of networks that reconstruct."""

    def __init__(self, dataset: Dataset, config: ReconstructionConfig, folds: FoldsConfig) -> None:
        self._features = features_taken(config.inputs, dataset.features)
        self.samples, self._weight_facts = samples_with_truth(dataset, config, folds, self._read)
        if isinstance(config.model, BoostedTreesConfig):
            raise TypeError("trees are no network")
        self._model = config.model
        losses = config.training.losses
        self._of_assignment = losses.of_assignment()
        self._of_neutrinos = losses.of_neutrinos(self._model.neutrinos.head)
        self._neutrino_weight = config.training.neutrino_loss_weight
        self.loss_weights = {
            **self._of_assignment,
            **{name: w * self._neutrino_weight for name, w in self._of_neutrinos.items()},
            **({CONFIDENCE: losses.confidence} if self._model.confidence else {}),
        }
        self._config = config
        self._calibration: dict[str, float] = {}

    def build(self) -> None:
        """Make the network with its losses and its metrics."""
        dataset = self.samples.training.dataset
        some = self.samples.training.evenly(EVENTS_TO_NORMALISE).chunks()
        normalisation = fit_normalisation(
            ((events.taking(self._features), weight) for events, weight in some), dataset.signs
        )
        self.network = build_model(
            self._model, self._features, dataset.manifest.max_jets, normalisation, dataset.signs
        )
        own = self._config.training.losses.own()
        of_jets = [key for key in own if key in self._of_assignment]
        of_neutrinos = [key for key in own if key in self._of_neutrinos]
        self.fitted = with_losses(
            self.network,
            list(self.loss_weights),
            {key: own_assignment_loss(own[key], f"{LOSS}.assignment") for key in of_jets},
            {key: own_neutrino_loss(own[key], f"{LOSS}.neutrinos") for key in of_neutrinos},
        )
        self.trims = self._model.architecture in ANY_NUMBER_OF_JETS
        self.losses = dict.fromkeys(self.loss_weights, PER_EVENT)
        self.weighted_metrics = {
            "assignment": [
                AssignmentAccuracy(name="accuracy"),
                *([MatchedAUC(THRESHOLDS, name="matched_auc")] if self._model.no_match else []),
            ],
            **{name: [mean_of(loss)] for name, loss in self.losses.items()},
        }

    def metrics(self, logs: Mapping[str, float]) -> Metrics:
        """Return the losses of jets and neutrinos, their sum, and how good the assignment is.

        Where there are several of a kind, also each by itself.
        """
        values = {name: logs[f"{name}_mean"] for name in self.losses}
        area = "assignment_matched_auc"
        metrics = {
            "loss": _sum(values, self.loss_weights),
            "assignment_loss": _sum(values, self._of_assignment),
            "neutrino_loss": _sum(values, self._of_neutrinos),
            "assignment_accuracy": logs["assignment_accuracy"],
            **({"matched_auc": logs[area]} if area in logs else {}),
        }
        several = [kind for kind in (self._of_assignment, self._of_neutrinos) if len(kind) > 1]
        single = [name for kind in several for name in kind]
        if CONFIDENCE in values:
            single.append(CONFIDENCE)
        return metrics | {f"{name}_loss": values[name] for name in single}

    def _read(self, events: Events) -> tuple[Arrays, Arrays]:
        truth, targets = event_targets(events.targets(), list(self.loss_weights))
        return events.taking(self._features).inputs() | truth, targets

    def note(self, metrics: Mapping[str, float]) -> str:
        """Return loss and accuracy in words."""
        loss, accuracy = metrics["training_loss"], metrics["validation_assignment_accuracy"]
        return f"loss {loss:.4f} validation accuracy {accuracy:.4f}"

    def calibrate(self) -> None:
        """Set temperature and tails of a flow so that it is right about the validation events."""
        head, seen = known_neutrinos(self.network)
        if not isinstance(head, FlowNeutrinos):
            return
        sample = self.samples.validation
        model = keras.Model(self.network.input, seen)
        squares = []
        for inputs, _, _ in batches(sample, in_order(np.arange(len(sample)), BATCH)):
            truth = inputs[TRUE_NEUTRINOS]
            taken = {name: inputs[name] for name in self.network.input}
            squares.append(np.asarray(head.squared_latent(model(taken, training=False), truth)))
        found = tails.fitted(np.concatenate(squares), sample.weight, COMPONENTS)
        head.set_tails(found.temperature, found.degrees_of_freedom)
        self._calibration = {f"neutrino_{name}": value for name, value in found._asdict().items()}

    def facts(self) -> dict[str, Fact]:
        """Return what became of the weights, and temperature and tails of a flow."""
        return {**self._calibration, **self._weight_facts}


def samples_with_truth(
    dataset: Dataset, config: ReconstructionConfig, folds: FoldsConfig, read: Read
) -> tuple[Samples, dict[str, Fact]]:
    """Return the simulated events to learn from, and what became of their weights.

    No truth, no events, or weights that do not add up to anything positive are an InputError.
    """
    events = dataset.events()
    if events.assignment is None or events.neutrinos is None:
        raise InputError(f"{dataset.path}: these events have no truth: nothing can be learnt")
    every = split(events, folds, config.training.validation_fraction)
    parts = [part[events.simulated[part]] for part in every]
    policy = config.data.weights.negative
    weights = [training_weights(events.weight[part], policy) for part in parts]
    samples = Samples.at(dataset, parts, [each.weight for each in weights], read)
    return samples, {**weights[0].facts}


def _sum(values: Mapping[str, float], weights: Mapping[str, float]) -> float:
    return sum(weight * values[name] for name, weight in weights.items())
