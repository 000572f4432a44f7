"""Models of any number of evaluations side by side, on the same events."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.errors import InputError
from rootflow.estimate import Estimate
from rootflow.evaluation.bootstrap import FloatArray, Statistic, bootstrap
from rootflow.evaluation.paired import Metric, comparison_table, comparisons, having
from rootflow.evaluation.results import Comparison
from rootflow.p_value import PValue
from rootflow.table import Cell, Column, Row, Table

# Weights of the same event may differ by as much, relatively: they are sums in any order.
TOLERANCE = 1e-6
FILE, NUMBER = "file", "number"
Arrays = Mapping[str, NDArray[Any]]


class SavedAnswers(NamedTuple):
    """What the models of one evaluation said of n events, as it is read back.

    `who` (n,) is what tells events apart: the SHA-256 of the file, the event number and, by branch,
    the rest; `truth` (n, ...) by name must be the same in all evaluations; `said` is (n, ...) by
    name, by model.
    """

    name: str
    who: Arrays
    weight: FloatArray
    truth: Arrays
    said: Mapping[str, Arrays]


# What is asked of a model: from the truth, what it said and the weights.
Asked = Callable[[Arrays, Arrays, FloatArray], dict[str, Statistic]]


class Compared(NamedTuple):
    """A model, the evaluations that hold the same answers of it, and its metrics."""

    name: str
    evaluations: tuple[str, ...]
    metrics: dict[str, Estimate]


class ComparedModels(NamedTuple):
    """What a comparison found on so many events with truth.

    Models are ordered by `metric`, the best first; `first` is the one that was named first.
    Comparisons are of every ordered pair of models, in every metric.
    """

    metric: str
    events: int
    replicas: int
    seed: int
    models: tuple[Compared, ...]
    comparisons: tuple[Comparison, ...]
    first: str

    @property
    def metrics(self) -> list[str]:
        """All metrics, that of the order first."""
        return list(dict.fromkeys(name for model in self.models for name in model.metrics))

    def comparison(self, name: str, other: str, metric: str = "") -> Comparison | None:
        """Return what was found of one model being better; None where it does not exist."""
        wanted = (metric or self.metric, name, other)
        return next(
            (each for each in self.comparisons if (each.metric, each.name, each.other) == wanted),
            None,
        )

    def logged(self) -> dict[str, float]:
        """Return `METRIC/MODEL` and `METRIC_error/MODEL`."""
        return {
            f"{metric}{ending}/{model.name}": number
            for model in self.models
            for metric, estimate in model.metrics.items()
            for ending, number in (("", estimate.value), ("_error", estimate.error))
        }

    def tables(self) -> list[Table]:
        """Return one of the models, and one of every two of them."""
        names = (
            "model",
            "runs",
            *self.metrics,
            "below_best",
            "p_best_is_better",
            "above_first",
            "p_better_than_first",
        )
        best = self.models[0].name
        rows: list[list[Cell]] = [
            [
                model.name,
                ", ".join(model.evaluations),
                *(model.metrics.get(metric) for metric in self.metrics),
                *self._pair(best, model.name),
                *self._pair(model.name, self.first),
            ]
            for model in self.models
        ]
        columns = [Column(name, name.replace("_", " ")) for name in names]
        return [
            Table.of("models", "Models on the same events", columns, rows),
            comparison_table(self.comparisons, self.replicas),
        ]

    def as_json(self) -> Row:
        """Return everything as plain data."""
        return {
            "events": self.events,
            "replicas": self.replicas,
            "seed": self.seed,
            **{table.name: table.as_rows() for table in self.tables()},
        }

    def _pair(self, name: str, other: str) -> tuple[Cell, Cell]:
        found = self.comparison(name, other)
        return (None, None) if found is None else (found.gain, PValue(found.p_value, self.replicas))


def compare(
    answers: Sequence[SavedAnswers],
    metrics: Mapping[str, Metric],
    asked: Asked,
    replicas: int,
    seed: int,
) -> ComparedModels:
    """Compare all models of several evaluations, event by event.

    All models see the same bootstrap replicas, so that what events do to all of them does
    not count in a difference. A p-value is of one model being no better than another, so a
    small one says that it is.

    A model is called after its evaluation, too, where several evaluations have another one
    of its name; where they have the same answers of it, it is one model. The first metric orders
    the models; `asked` gives the statistics of a model from which the metrics are.

    Raises
    ------
    InputError
        The events of two evaluations, their truth or weights differ; or a model has not the
        metric that orders.
    """
    answers = _in_order(answers)
    for other in answers[1:]:
        _must_agree(answers[0], other)
    weight, truth = answers[0].weight, answers[0].truth
    models = _models(answers)
    statistics = {
        f"{name}/{quantity}": statistic
        for name, (_, said) in models.items()
        for quantity, statistic in asked(truth, said, weight).items()
    }
    found = bootstrap(statistics, weight, replicas, seed)
    estimates: dict[str, dict[str, Estimate]] = {name: {} for name in models}
    for metric, asked_for in metrics.items():
        for name, replicated in having(asked_for, found, models).items():
            estimates[name][metric] = replicated.estimate(asked_for.at)
    first = next(iter(metrics))
    for name, of_model in estimates.items():
        if first not in of_model:
            raise InputError(f"{name}: {first} does not exist for the events of the comparison")
    compared = [Compared(name, models[name][0], estimates[name]) for name in models]
    return ComparedModels(
        metric=first,
        events=len(weight),
        replicas=replicas,
        seed=seed,
        models=tuple(sorted(compared, key=lambda model: -model.metrics[first].value)),
        comparisons=comparisons(metrics, found, list(models)),
        first=compared[0].name,
    )


def _in_order(answers: Sequence[SavedAnswers]) -> list[SavedAnswers]:
    """Return answers in an order that is the same in all, by what all say of who an event is."""
    common = set.intersection(*(set(each.who) for each in answers))
    names = [FILE, NUMBER, *sorted(common - {FILE, NUMBER})]
    found = []
    for each in answers:
        order = np.lexsort([each.who[name] for name in reversed(names)])
        found.append(
            each._replace(
                who={name: each.who[name][order] for name in names},
                weight=each.weight[order],
                truth=_taken(each.truth, order),
                said={model: _taken(said, order) for model, said in each.said.items()},
            )
        )
    return found


def _taken(arrays: Arrays, order: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    return {name: values[order] for name, values in arrays.items()}


def _must_agree(one: SavedAnswers, other: SavedAnswers) -> None:
    events, others = _who(one), _who(other)
    both = f"{one.name} and {other.name}"
    if not np.array_equal(events, others):
        shared = len(np.intersect1d(events, others))
        raise InputError(
            f"{both} cannot be compared: they have {len(events):,} and {len(others):,} events with "
            f"truth, {shared:,} of them the same: evaluate all on the same files and selection"
        )
    for what in (*one.truth, "weight"):
        ours, theirs = ({**each.truth, "weight": each.weight}[what] for each in (one, other))
        same = np.isclose(ours, theirs, rtol=TOLERANCE, atol=0, equal_nan=True)
        differ = int(np.sum(~same.reshape(len(ours), -1).all(axis=1)))
        if differ:
            raise InputError(
                f"{both} cannot be compared: {differ:,} of their {len(ours):,} events have "
                f"another {what}: evaluate all with the same samples and settings"
            )


def _who(answers: SavedAnswers) -> NDArray[np.void]:
    # Numbers are of either sign in different files, where the same bits are the same event.
    arrays = {**answers.who, NUMBER: answers.who[NUMBER].astype(np.uint64)}
    made = np.empty(len(answers.weight), [(name, each.dtype) for name, each in arrays.items()])
    for name, values in arrays.items():
        made[name] = values
    return made


def _models(
    answers: Sequence[SavedAnswers],
) -> dict[str, tuple[tuple[str, ...], Arrays]]:
    """Return the evaluations that hold each model and what it said, by a name of its own."""
    distinct: dict[str, list[tuple[list[str], Arrays]]] = {}
    for each in answers:
        for name, said in each.said.items():
            known = distinct.setdefault(name, [])
            same = [holders for holders, before in known if _equal(before, said)]
            if same:
                same[0].append(each.name)
            else:
                known.append(([each.name], said))
    return {
        name if len(versions) == 1 else f"{name}:{holders[0]}": (tuple(holders), said)
        for name, versions in distinct.items()
        for holders, said in versions
    }


def _equal(one: Arrays, other: Arrays) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name], equal_nan=True) for name in one
    )
