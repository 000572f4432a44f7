"""The tables of an evaluation, and the files and the page that hold them."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from rootflow.estimate import Estimate, PValue, with_error
from rootflow.evaluation.folder import write_folder, write_page
from rootflow.evaluation.paired import by_pair, comparison_table, in_words, p_values
from rootflow.evaluation.reconstruction.evaluate import COMPARED, Assessment
from rootflow.evaluation.reconstruction.figures import captions_of
from rootflow.evaluation.reconstruction.metrics import COUNTS, DEFINITIONS
from rootflow.evaluation.reconstruction.migration import unfoldings, write_unfoldings
from rootflow.evaluation.reconstruction.observables import OBSERVABLES
from rootflow.evaluation.reconstruction.predictions import PREDICTIONS, write_predictions
from rootflow.evaluation.reconstruction.results import UNDER_EVALUATION, Evaluation, MethodResult
from rootflow.evaluation.results import Number
from rootflow.table import Cell, Table

Row = dict[str, Cell]

KINDS = ("bias", "resolution")
OTHER_ACCURACIES = {
    "at least one right": "either_accuracy",
    "right two jets": "selection_accuracy",
    "efficiency": "efficiency",
    "miscalibration": "calibration_error",
}


def write_evaluation(
    assessment: Assessment,
    unfold: Sequence[str],
    files: Sequence[str],
    provenance: Mapping[str, str],
    directory: Path,
) -> None:
    """Write the results, predictions, migration matrices and tables; nothing is drawn.

    Matrices are of the observables to `unfold`. `files` are the SHA-256 of the files of the events,
    by their `file_index`; `provenance` says where all comes from, as name and value.
    """
    evaluation, sample, candidates = assessment
    write_folder(evaluation, tables_of(evaluation), provenance, directory)
    write_predictions(candidates, sample, files, directory / PREDICTIONS)
    write_unfoldings(unfoldings(unfold, candidates, sample), directory)


def write_report(
    evaluation: Evaluation, figures: Sequence[Path], provenance: Mapping[str, str], path: Path
) -> None:
    """Write the evaluation as one self-contained HTML file, with the files of `draw` as figures.

    These and the provenance are as in `rootflow.evaluation.folder.write_page`.
    """
    known = {
        "folds": ", ".join(map(str, evaluation.folds)),
        "events": f"{evaluation.events:,}",
        "matched events": f"{evaluation.matched_events:,}",
        "bootstrap replicas": f"{evaluation.replicas:,}",
        "bootstrap seed": str(evaluation.seed),
    }
    write_page(
        path,
        "report.html",
        tables=tables_of(evaluation),
        figures=figures,
        captions=captions_of(evaluation),
        definitions=DEFINITIONS,
        provenance={**provenance, **known},
        evaluation=evaluation,
    )


def tables_of(evaluation: Evaluation) -> list[Table]:
    """Return all tables, also those without rows, in the order of the report."""
    methods = evaluation.methods
    names = [method.name for method in methods]
    shares = {(found.right, found.wrong): found.share for found in evaluation.complements}
    assignment: list[Row] = [
        {
            "method": method.name,
            "both right": method.metrics.get("assignment_accuracy"),
            **_beaten("assignment_accuracy", method, evaluation),
            **{head: method.metrics.get(name) for head, name in OTHER_ACCURACIES.items()},
        }
        for method in methods
    ]
    mtt: list[Row] = [
        {
            "method": method.name,
            "neutrinos of": method.neutrinos_of,
            **{kind: method.metrics.get(f"mtt_{kind}") for kind in KINDS},
            **_beaten("mtt_resolution", method, evaluation),
            **{f"{kind}, all": method.metrics.get(f"mtt_all_{kind}") for kind in KINDS},
        }
        for method in methods
    ]
    with_observables = [method for method in methods if method.observables]
    observables: list[Row] = [
        {
            "observable": name,
            "unit": "relative" if observable.relative else observable.unit,
            **{
                f"{method.name} {kind}": method.metrics.get(f"{name}_{kind}")
                for method in with_observables
                for kind in KINDS
            },
        }
        for name, observable in OBSERVABLES.items()
        if with_observables
    ]
    migrations: list[Row] = [
        {
            "observable": name,
            "method": method.name,
            **{each: _mean(getattr(found, each)) for each in ("purity", "stability", "efficiency")},
            "condition number": found.condition_number,
        }
        for name in evaluation.drawn
        for method in methods
        if name in method.observables
        for found in [method.observables[name].migration]
    ]
    importance: list[Row] = [
        {
            "method": method.name,
            "collection": each.collection,
            "feature": each.feature or "all",
            "loss": each.drop,
        }
        for method in methods
        for each in method.importance
    ]
    cost: list[Row] = [
        {
            "method": method.name,
            "seconds": method.cost.seconds,
            "events per second": round(method.cost.events_per_second),
            "parameters": method.cost.parameters,
        }
        for method in methods
    ]
    return [
        _table("assignment", "Assignment", assignment),
        *(_compared(metric, evaluation) for metric in COMPARED),
        comparison_table(evaluation.comparisons, evaluation.replicas),
        *(_binned(name, evaluation) for name in methods[0].accuracy_by),
        Table.of(
            "complements",
            "Share of matched events that the row gets right and the column wrong",
            ("method", *names),
            [(name, *(shares.get((name, other)) for other in names)) for name in names],
        ),
        _table("mtt", "m(ttbar), relative", mtt),
        _table("observables", "Bias and resolution of all observables", observables),
        _table("migrations", "Migration: means over the bins", migrations),
        _table("importance", "Loss in accuracy with an input permuted", importance),
        _table("cost", "Cost on this machine", cost),
    ]


def _table(name: str, title: str, rows: Sequence[Row]) -> Table:
    """Return rows with the same headings as a table."""
    return Table.of(name, title, [*rows[0]] if rows else [], [[*row.values()] for row in rows])


def _beaten(metric: str, method: MethodResult, evaluation: Evaluation) -> Row:
    """Return the p-value of the first network, if there is one, being no better than a method."""
    networks = [each.name for each in evaluation.methods if each.description == UNDER_EVALUATION]
    pairs = by_pair(evaluation.comparisons, metric)
    found = {name: pairs.get((name, method.name)) for name in networks[:1]}
    return {
        f"p, {name} no better": each and PValue(each.p_value, evaluation.replicas)
        for name, each in found.items()
    }


def _compared(metric: str, evaluation: Evaluation) -> Table:
    found = by_pair(evaluation.comparisons, metric)
    compared = {name for pair in found for name in pair}
    names = [method.name for method in evaluation.methods if method.name in compared]

    def gain(pair: tuple[str, str]) -> str | None:
        if pair not in found:
            return None
        no_better, equal = p_values(found[pair], evaluation.replicas)
        return f"{with_error(found[pair].gain)} ({no_better.equation}; {equal})"

    title = f"Gain of the row over the column: {in_words(metric)}"
    rows = [(name, *(gain((name, other)) for other in names)) for name in names]
    return Table.of(f"gain_{metric}", title, ("method", *names), rows)


def _binned(name: str, evaluation: Evaluation) -> Table:
    edges = evaluation.methods[0].accuracy_by[name].edges
    if name in COUNTS:
        counts = [round(edge + 0.5) for edge in edges[:-1]]
        bins = [*map(str, counts[:-1]), f"{counts[-1]} or more"]
    else:
        bins = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    unit = OBSERVABLES[name].unit if name in OBSERVABLES else ("" if name in COUNTS else "GeV")
    rows = [
        [method.name, *map(_estimate, *method.accuracy_by[name][1:])]
        for method in evaluation.methods
    ]
    title = f"Both right, by {name}{f' in {unit}' if unit else ''}"
    return Table.of(f"accuracy_by_{name}", title, ("method", *bins), rows)


def _mean(values: Sequence[Number]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _estimate(value: Number, error: Number) -> Estimate | None:
    return None if value is None or error is None else Estimate(value, error)
