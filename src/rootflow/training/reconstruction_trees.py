"""Boosted trees that reconstruct events: the model, and what they learn."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from rootflow.config import FoldsConfig, ReconstructionConfig
from rootflow.dataset import Dataset, Events
from rootflow.dataset.events import Features, Signs, pairs_of_jets
from rootflow.models.architectures import features_taken
from rootflow.models.determinism import make_deterministic
from rootflow.models.tree_columns import (
    AXES,
    LOG_ODDS,
    MOMENTA,
    NEUTRINOS,
    PAIRS,
    THERE,
    tree_answer,
    tree_columns,
)
from rootflow.training.metrics import cross_entropy, weighted_auc, weighted_mean
from rootflow.training.reconstruction import samples_with_truth
from rootflow.training.record import Fact
from rootflow.training.samples import Arrays, WeightedSample
from rootflow.training.task import Metrics, Regress, Rows
from rootflow.training.trees import Trees, refuse_other_trees, write_trees

COMPONENTS = ("px", "py", "pz")
SMALLEST = 1e-15


class GivenToTrees(NamedTuple):
    """What is needed beside trees to reconstruct events, see `tree_columns`."""

    features: Features
    max_jets: int
    signs: Signs


ABOUT = TypeAdapter(GivenToTrees)


class ReconstructionTrees(Trees):
    """Trees of pairs of jets, and of each component, GeV, of a neutrino along its view's axes."""

    task = "reconstruction"

    def __init__(
        self,
        about: GivenToTrees,
        pairs: HistGradientBoostingClassifier,
        neutrinos: list[HistGradientBoostingRegressor],
    ) -> None:
        make_deterministic()
        self.about = about
        self.pairs = pairs
        self.neutrinos = neutrinos
        self.columns = tree_columns(*about)
        self.answer = tree_answer(about.max_jets)
        self.takes = [*self.columns.input]
        self.slots = about.max_jets

    def outputs(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Return `assignment` (n, J, J) and `neutrinos` (n, 2, 3) in GeV."""
        columns = seen_by(self.columns, arrays)
        allowed = pairs_of_jets(columns[THERE])
        log_odds = np.zeros(allowed.shape, np.float32)
        momenta = np.zeros((len(allowed), 2, 3), np.float32)
        with threadpool_limits(1):
            if np.any(allowed):
                rows = rows_of_pairs(columns, allowed)
                log_odds[allowed] = self.pairs.decision_function(rows)
            if len(momenta):
                rows = columns[NEUTRINOS].reshape(2 * len(momenta), -1)
                said = [each.predict(rows) for each in self.neutrinos]
                momenta = np.stack(said, axis=-1, dtype=np.float32, casting="same_kind")
        asked = {
            LOG_ODDS: log_odds,
            MOMENTA: momenta.reshape(-1, 2, 3),
            AXES: columns[AXES],
            THERE: columns[THERE],
        }
        return {name: np.asarray(said) for name, said in self.answer(asked).items()}


def seen_by(columns: keras.Model, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    """Return the columns of the arrays of some events, as `tree_columns` makes them."""
    taken = {name: arrays[name] for name in columns.input}
    return {name: np.asarray(tensor) for name, tensor in columns(taken).items()}


def rows_of_pairs(columns: Arrays, allowed: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the columns of those pairs of jets (n, J, J) that are allowed, (pairs, columns)."""
    rows: NDArray[np.float32] = columns[PAIRS]
    return rows[allowed.reshape(rows.shape[:2])]


def reconstruction_trees(about: Any, pairs: Any, neutrinos: Any) -> ReconstructionTrees:
    """Return the model of what a file holds; raises ValueError where that is none."""
    model = ReconstructionTrees(ABOUT.validate_python(about), pairs, neutrinos)
    widths = {name: model.columns.output[name].shape[-1] for name in (PAIRS, NEUTRINOS)}
    refuse_other_trees(pairs, HistGradientBoostingClassifier, widths[PAIRS])
    if len(neutrinos) != len(COMPONENTS):
        raise ValueError("it holds no trees of three components")
    for each in neutrinos:
        refuse_other_trees(each, HistGradientBoostingRegressor, widths[NEUTRINOS])
    return model


class ReconstructionTreesTask:
    """The right pairs of jets among the wrong ones of the same event, and the neutrinos.

    ATLAS (arXiv:1712.08895, the reconstruction BDT) and CMS (arXiv:1510.03072) choose the jets of
    top quarks by such trees. They learn from events with both b jets among the jets; the momenta
    are learnt from all.
    """

    def __init__(self, dataset: Dataset, config: ReconstructionConfig, folds: FoldsConfig) -> None:
        make_deterministic()
        self._about = GivenToTrees(
            features_taken(config.inputs, dataset.features),
            dataset.manifest.max_jets,
            dataset.signs,
        )
        self._columns = tree_columns(*self._about)
        self.samples, self._weight_facts = samples_with_truth(dataset, config, folds, self._read)

    def rows(self, sample: WeightedSample) -> Rows:
        """Return all pairs of jets of events with both b jets, of which one is right."""
        return _joined(self._pairs(*chunk) for chunk in sample.chunks())

    def metrics_of_rows(self, rows: Rows, probabilities: NDArray[np.float64]) -> Metrics:
        """Return how well pairs are told apart, and how often the right one of an event is best."""
        said = probabilities[:, 1]
        starts = np.flatnonzero(np.diff(rows.event, prepend=-1))
        odds = said / np.maximum(1 - said, SMALLEST)
        right = rows.label == 1
        # Each event has one right pair.
        total, best = (reduced.reduceat(odds, starts) for reduced in (np.add, np.maximum))
        entropy = -np.log(np.maximum(odds[right] / total, SMALLEST))
        weight = rows.weight[right]
        return {
            "loss": weighted_mean(cross_entropy(said, rows.label), rows.weight).value,
            "auc": weighted_auc(said, rows.label, rows.weight),
            "assignment_loss": weighted_mean(entropy, weight).value,
            "assignment_accuracy": weighted_mean(odds[right] == best, weight).value,
        }

    def note(self, metrics: Mapping[str, float]) -> str:
        """Return the accuracy in words."""
        return "validation accuracy {validation_assignment_accuracy:.4f}".format(**metrics)

    def facts_of_rows(
        self,
        validation: Rows,  # noqa: ARG002 - as others ask it
        probabilities: NDArray[np.float64],  # noqa: ARG002
    ) -> dict[str, Fact]:
        """Return what became of the weights."""
        return self._weight_facts

    def save_trees(
        self, trees: HistGradientBoostingClassifier, regress: Regress, path: Path
    ) -> dict[str, Fact]:
        """Grow the trees of the neutrinos and write all; return how wide their residuals are."""
        seen = [self._neutrinos(sample) for sample in self.samples]
        grown, facts = [], {}
        for place, component in enumerate(COMPONENTS):
            training, validation = (rows._replace(label=rows.label[:, place]) for rows in seen)
            grown.append(regress(training, validation))
            residual = grown[-1].predict(validation.values) - validation.label
            mean_square = weighted_mean(residual**2, validation.weight).value
            facts[f"neutrino_rms_{component}"] = float(np.sqrt(mean_square))
        write_trees(self._about._asdict(), {"trees": trees, "neutrinos": grown}, path)
        return {"neutrino_trees": sum(each.n_iter_ for each in grown), **facts}

    def _read(self, events: Events) -> tuple[Arrays, Arrays]:
        """Return the columns of events, and their truth."""
        inputs = events.taking(self._about.features).inputs()
        return seen_by(self._columns, inputs), events.targets()

    def _pairs(self, events: Events, weight: NDArray[np.float32]) -> Rows:
        both = events.matched
        columns, targets = self._read(events.take(both))
        allowed = pairs_of_jets(columns[THERE])
        event, *pair = np.nonzero(allowed)
        right = np.all(np.column_stack(pair) == targets["assignment"][event], axis=1)
        return Rows(
            rows_of_pairs(columns, allowed),
            right.astype(np.int8),
            weight[both][event].astype(np.float64),
            event,
        )

    def _neutrinos(self, sample: WeightedSample) -> Rows:
        """Return two rows of each event, with px, py, pz (rows, 3) along the axes of the view."""
        return _joined(self._views(*chunk) for chunk in sample.chunks())

    def _views(self, events: Events, weight: NDArray[np.float32]) -> Rows:
        columns, targets = self._read(events)
        momenta = np.einsum("nvij,nvj->nvi", columns[AXES], targets["neutrinos"])
        return Rows(
            columns[NEUTRINOS].reshape(2 * len(events), -1),
            momenta.reshape(-1, 3),
            np.repeat(weight, 2).astype(np.float64),
            np.repeat(np.arange(len(events)), 2),
        )


def _joined(parts: Iterable[Rows]) -> Rows:
    """Return the rows of some events as of all; events are counted on."""
    every, events = [], 0
    for part in parts:
        every.append(part._replace(event=part.event + events))
        events += len(np.unique(part.event))
    return Rows(*(np.concatenate(arrays) for arrays in zip(*every, strict=True)))
