"""Models of any number of evaluations side by side, on the same events."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.errors import InputError
from rootflow.evaluation.bootstrap import bootstrap
from rootflow.evaluation.classification.auc import AreaUnderCurve
from rootflow.evaluation.classification.scores import IDENTITY, ScoreTable
from rootflow.evaluation.paired import comparisons
from rootflow.evaluation.results import Comparison, Estimate
from rootflow.p_value import PValue
from rootflow.table import Row

# Weights of the same event may differ by as much, relatively: they are sums in any order.
TOLERANCE = 1e-6


class Compared(NamedTuple):
    """A model, the evaluations that hold the same scores of it, and its weighted AUC."""

    name: str
    tables: tuple[str, ...]
    auc: Estimate


class RunComparison(NamedTuple):
    """What a comparison found.

    Attributes
    ----------
    events
        How many labelled events were scored by all.
    replicas, seed
        Of the bootstrap.
    models
        Falling in AUC.
    differences
        Of every ordered pair of models.
    first
        The model that was named first.
    """

    events: int
    replicas: int
    seed: int
    models: tuple[Compared, ...]
    differences: tuple[Comparison, ...]
    first: str

    def difference(self, model: str, other: str) -> Comparison:
        """Return what was found of `model` being better than `other`."""
        return next(
            found for found in self.differences if (found.name, found.other) == (model, other)
        )

    def table(self) -> list[Row]:
        """Return one row per model, falling in AUC; None for a model beside itself."""
        best = self.models[0].name
        return [
            {
                "model": model.name,
                "runs": ", ".join(model.tables),
                "auc": model.auc.value,
                "auc_error": model.auc.error,
                **self._columns("below_best", "p_best_is_better", best, model.name),
                **self._columns("above_first", "p_better_than_first", model.name, self.first),
            }
            for model in self.models
        ]

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "events": self.events,
            "replicas": self.replicas,
            "seed": self.seed,
            "models": self.table(),
            "differences": [
                {
                    "model": found.name,
                    "other": found.other,
                    "auc": found.gain.value,
                    "auc_error": found.gain.error,
                    "p_value": found.p_value,
                }
                for found in self.differences
            ],
        }

    def _columns(self, difference: str, p_value: str, model: str, other: str) -> Row:
        if model == other:
            return {difference: None, f"{difference}_error": None, p_value: None}
        found = self.difference(model, other)
        return {
            difference: found.gain.value,
            f"{difference}_error": found.gain.error,
            p_value: PValue(found.p_value, self.replicas),
        }


def compare(tables: Sequence[ScoreTable], replicas: int, seed: int) -> RunComparison:
    """Compare the AUC of all models of several evaluations, event by event.

    All models see the same bootstrap replicas, so that what events do to all of them does
    not count in a difference. A p-value is of one model being no better than another, so a
    small one says that it is.

    A model is called after its evaluation, too, where several evaluations have another one
    of its name; where they have the same scores of it, it is one model.

    Parameters
    ----------
    tables
        Scores of the same labelled events; real data are not looked at.
    replicas, seed
        Of the bootstrap.

    Raises
    ------
    InputError
        The labelled events of two tables, their labels or weights differ.
    """
    tables = _of_common_identity(tables)
    orders = [_in_order(table) for table in tables]
    for table, order in zip(tables[1:], orders[1:], strict=True):
        _must_agree(tables[0], orders[0], table, order)
    weight, label = tables[0].weight[orders[0]], tables[0].label[orders[0]]
    models = _models(tables, orders)
    signal = np.isin(label, tables[0].signals)
    statistics = {name: AreaUnderCurve(scores, signal) for name, (_, scores) in models.items()}
    found = bootstrap(statistics, weight, replicas, seed)
    compared = [
        Compared(name, holders, found[name].estimate()) for name, (holders, _) in models.items()
    ]
    return RunComparison(
        events=len(weight),
        replicas=replicas,
        seed=seed,
        models=tuple(sorted(compared, key=lambda model: -model.auc.value)),
        differences=comparisons("auc", found),
        first=compared[0].name,
    )


def _of_common_identity(tables: Sequence[ScoreTable]) -> list[ScoreTable]:
    """Return the tables with what all of them say of who an event is."""
    names = [name for name in tables[0].identity if all(name in each.identity for each in tables)]
    return [
        table._replace(identity={name: table.identity[name] for name in names}) for table in tables
    ]


def _in_order(table: ScoreTable) -> NDArray[np.int64]:
    """Return where the labelled events are, in an order that is the same in every table."""
    labelled = np.flatnonzero(table.label >= 0)
    identities = _identities(table, labelled)
    names = identities.dtype.names or ()
    return labelled[np.lexsort([identities[name] for name in reversed(names)])]


def _must_agree(
    one: ScoreTable, in_one: NDArray[np.int64], other: ScoreTable, in_other: NDArray[np.int64]
) -> None:
    events, others = _identities(one, in_one), _identities(other, in_other)
    both = f"{one.name} and {other.name}"
    if not np.array_equal(events, others):
        shared = len(np.intersect1d(events, others))
        raise InputError(
            f"{both} cannot be compared: they scored {len(events):,} and {len(others):,} labelled "
            f"events, {shared:,} of them the same: evaluate all on the same files and selection"
        )
    for what in ("label", "weight"):
        ours, theirs = getattr(one, what)[in_one], getattr(other, what)[in_other]
        differ = int(np.sum(~np.isclose(ours, theirs, rtol=TOLERANCE, atol=0)))
        if differ:
            raise InputError(
                f"{both} cannot be compared: {differ:,} of their {len(ours):,} events have "
                f"another {what}: evaluate all with the same samples and luminosity"
            )


def _identities(table: ScoreTable, order: NDArray[np.int64]) -> NDArray[np.void]:
    files = np.array(table.files)[table.file_index[order]]
    beside = {f"{IDENTITY}{name}": values for name, values in sorted(table.identity.items())}
    kind = [("file", files.dtype), ("number", np.uint64), *((name, np.int64) for name in beside)]
    identities = np.empty(len(order), dtype=kind)
    identities["file"] = files
    identities["number"] = table.event_number[order].astype(np.uint64)
    for name, values in beside.items():
        identities[name] = values[order]
    return identities


def _models(
    tables: Sequence[ScoreTable], orders: Sequence[NDArray[np.int64]]
) -> dict[str, tuple[tuple[str, ...], NDArray[np.float64]]]:
    """Return the tables that hold each model and its ordered scores, by a name of its own."""
    distinct: dict[str, list[tuple[list[str], NDArray[np.float64]]]] = {}
    for table, order in zip(tables, orders, strict=True):
        for name, scores in table.scores.items():
            ordered = scores[order]
            known = distinct.setdefault(name, [])
            same = [holders for holders, other in known if np.array_equal(other, ordered)]
            if same:
                same[0].append(table.name)
            else:
                known.append(([table.name], ordered))
    return {
        name if len(versions) == 1 else f"{name}:{holders[0]}": (tuple(holders), scores)
        for name, versions in distinct.items()
        for holders, scores in versions
    }
