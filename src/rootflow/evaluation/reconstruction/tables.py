"""The tables of an evaluation."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from rootflow.estimate import Estimate, with_error
from rootflow.evaluation.paired import comparison_table, in_words, p_values
from rootflow.evaluation.reconstruction.evaluate import COMPARED
from rootflow.evaluation.reconstruction.observables import OBSERVABLES
from rootflow.evaluation.reconstruction.results import UNDER_EVALUATION, Evaluation
from rootflow.evaluation.results import Binned, Comparison, Number
from rootflow.p_value import PValue
from rootflow.table import Cell, Table

KINDS = ("bias", "resolution")
COUNTS = ("jets", "btags")


def tables_of(evaluation: Evaluation) -> list[Table]:
    """Return all tables, in the order of the report."""
    return [
        _assignment(evaluation),
        *(_compared(metric, evaluation) for metric in COMPARED if _of(metric, evaluation)),
        comparison_table(evaluation.comparisons, evaluation.replicas),
        *(_binned(name, evaluation) for name in evaluation.methods[0].accuracy_by),
        _complements(evaluation),
        _mtt(evaluation),
        _observables(evaluation),
        _migrations(evaluation),
        _importance(evaluation),
        _cost(evaluation),
    ]


def _assignment(evaluation: Evaluation) -> Table:
    others = {
        "at least one right": "either_accuracy",
        "right two jets": "selection_accuracy",
        "efficiency": "efficiency",
        "miscalibration": "calibration_error",
    }
    beaten = _beaten("assignment_accuracy", evaluation)
    rows = [
        (
            method.name,
            method.metrics.get("assignment_accuracy"),
            *(found.get(method.name) for found in beaten.values()),
            *(method.metrics.get(name) for name in others.values()),
        )
        for method in evaluation.methods
    ]
    return Table.of("assignment", "Assignment", ("method", "both right", *beaten, *others), rows)


def _beaten(metric: str, evaluation: Evaluation) -> dict[str, dict[str, PValue]]:
    """Return the p-value of the model being no better than each method, below its heading.

    It is that of `metric`, of the first method that is no classic one; without one there is
    no column.
    """
    networks = [each.name for each in evaluation.methods if each.description == UNDER_EVALUATION]
    return {
        f"p, {name} no better": {
            other: PValue(found.p_value, evaluation.replicas)
            for (method, other), found in _of(metric, evaluation).items()
            if method == name
        }
        for name in networks[:1]
    }


def _of(metric: str, evaluation: Evaluation) -> dict[tuple[str, str], Comparison]:
    return {
        (found.name, found.other): found
        for found in evaluation.comparisons
        if found.metric == metric
    }


def _compared(metric: str, evaluation: Evaluation) -> Table:
    found = _of(metric, evaluation)
    names = [
        method.name for method in evaluation.methods if any(method.name in pair for pair in found)
    ]
    return Table.of(
        f"gain_{metric}",
        f"Gain of the row over the column: {in_words(metric)}",
        ("method", *names),
        [
            (name, *(_gain(found.get((name, other)), evaluation.replicas) for other in names))
            for name in names
        ],
    )


def _gain(found: Comparison | None, replicas: int) -> str | None:
    if found is None:
        return None
    no_better, equal = p_values(found, replicas)
    return f"{with_error(found.gain)} ({no_better.equation}; {equal})"


def _binned(name: str, evaluation: Evaluation) -> Table:
    edges = evaluation.methods[0].accuracy_by[name].edges
    if name in COUNTS:
        counts = [round(edge + 0.5) for edge in edges[:-1]]
        bins = [*map(str, counts[:-1]), f"{counts[-1]} or more"]
    else:
        bins = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    unit = OBSERVABLES[name].unit if name in OBSERVABLES else ("" if name in COUNTS else "GeV")
    return Table.of(
        f"accuracy_by_{name}",
        f"Both right, by {name}{f' in {unit}' if unit else ''}",
        ("method", *bins),
        [(method.name, *_cells(method.accuracy_by[name])) for method in evaluation.methods],
    )


def _complements(evaluation: Evaluation) -> Table:
    names = [method.name for method in evaluation.methods]
    shares = {(found.right, found.wrong): found.share for found in evaluation.complements}
    return Table.of(
        "complements",
        "Share of matched events that the row gets right and the column wrong",
        ("method", *names),
        [(name, *(shares.get((name, other)) for other in names)) for name in names],
    )


def _mtt(evaluation: Evaluation) -> Table:
    matched, every = ("mtt_bias", "mtt_resolution"), ("mtt_all_bias", "mtt_all_resolution")
    beaten = _beaten("mtt_resolution", evaluation)
    return Table.of(
        "mtt",
        "m(ttbar), relative",
        ("method", "neutrinos of", "bias", "resolution", *beaten, "bias, all", "resolution, all"),
        [
            (
                method.name,
                method.neutrinos_of,
                *(method.metrics.get(name) for name in matched),
                *(found.get(method.name) for found in beaten.values()),
                *(method.metrics.get(name) for name in every),
            )
            for method in evaluation.methods
        ],
    )


def _observables(evaluation: Evaluation) -> Table:
    methods = [method for method in evaluation.methods if method.observables]
    rows: list[Sequence[Cell]] = [
        (
            name,
            "relative" if observable.relative else observable.unit,
            *(method.metrics.get(f"{name}_{kind}") for method in methods for kind in KINDS),
        )
        for name, observable in OBSERVABLES.items()
    ]
    return Table.of(
        "observables",
        "Bias and resolution of all observables",
        ("observable", "unit", *(f"{method.name} {kind}" for method in methods for kind in KINDS)),
        rows if methods else [],
    )


def _migrations(evaluation: Evaluation) -> Table:
    return Table.of(
        "migrations",
        "Migration: means over the bins",
        ("observable", "method", "purity", "stability", "efficiency", "condition number"),
        [
            (
                name,
                method.name,
                *(_mean(part) for part in (found.purity, found.stability, found.efficiency)),
                found.condition_number,
            )
            for name in evaluation.drawn
            for method in evaluation.methods
            if name in method.observables
            for found in [method.observables[name].migration]
        ],
    )


def _importance(evaluation: Evaluation) -> Table:
    return Table.of(
        "importance",
        "Loss in accuracy with an input permuted",
        ("method", "collection", "feature", "loss"),
        [
            (method.name, each.collection, each.feature or "all", each.drop)
            for method in evaluation.methods
            for each in method.importance
        ],
    )


def _cost(evaluation: Evaluation) -> Table:
    return Table.of(
        "cost",
        "Cost on this machine",
        ("method", "seconds", "events per second", "parameters"),
        [
            (
                method.name,
                method.cost.seconds,
                round(method.cost.events_per_second),
                method.cost.parameters,
            )
            for method in evaluation.methods
        ],
    )


def _mean(values: Sequence[Number]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _cells(binned: Binned) -> list[Estimate | None]:
    return [
        None if value is None or error is None else Estimate(value, error)
        for value, error in zip(binned.values, binned.errors, strict=True)
    ]


def facts_of(evaluation: Evaluation, provenance: Mapping[str, str]) -> dict[str, str]:
    """Return where every number comes from: what is given, and what the evaluation knows."""
    return {
        **provenance,
        "folds": ", ".join(map(str, evaluation.folds)),
        "events": f"{evaluation.events:,}",
        "matched events": f"{evaluation.matched_events:,}",
        "bootstrap replicas": f"{evaluation.replicas:,}",
        "bootstrap seed": str(evaluation.seed),
    }
