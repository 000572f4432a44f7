"""The evaluation as one HTML page that needs nothing else."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rootflow.evaluation.figures.captions import CAPTIONS
from rootflow.evaluation.figures.neutrinos import COMPONENTS, PARTICLES, with_neutrinos
from rootflow.evaluation.metrics import DEFINITIONS
from rootflow.evaluation.page import ABSENT, Table, with_error, write_page
from rootflow.evaluation.results import Binned, Estimate, Evaluation


def write_report(
    evaluation: Evaluation, figures: Sequence[Path], provenance: Mapping[str, str], path: Path
) -> None:
    """Write the evaluation as one self-contained HTML file.

    Parameters
    ----------
    evaluation
        What was found.
    figures
        Files of `draw`; those that are PNG are shown, in their order.
    provenance
        Where it comes from, as name and value: dataset, commit, run.
    path
        Of the HTML file.
    """
    write_page(
        path,
        "report.html",
        tables=_tables(evaluation),
        figures=figures,
        captions=CAPTIONS,
        definitions=DEFINITIONS,
        provenance=provenance,
        evaluation=evaluation,
    )


def _tables(evaluation: Evaluation) -> list[Table]:
    tables = [_assignment(evaluation), _by_jets(evaluation), _mtt(evaluation)]
    return [*tables, _neutrinos(evaluation)] if with_neutrinos(evaluation) else tables


def _assignment(evaluation: Evaluation) -> Table:
    names = ("assignment_accuracy", "either_accuracy", "selection_accuracy", "efficiency")
    return Table(
        "Assignment",
        ("method", "both right", "at least one right", "right two jets", "efficiency"),
        [
            (method.name, *(with_error(method.metrics.get(name)) for name in names))
            for method in evaluation.methods
        ],
    )


def _by_jets(evaluation: Evaluation) -> Table:
    first = [round(edge + 0.5) for edge in evaluation.methods[0].accuracy_by_jets.edges[:-1]]
    counts = [f"{count} jets" for count in first[:-1]] + [f"{first[-1]} or more"]
    return Table(
        "Both right, by jet multiplicity",
        ("method", *counts),
        [(method.name, *_cells(method.accuracy_by_jets)) for method in evaluation.methods],
    )


def _mtt(evaluation: Evaluation) -> Table:
    names = ("mtt_bias", "mtt_resolution", "mtt_all_bias", "mtt_all_resolution")
    return Table(
        "m(tt̄), relative",
        ("method", "neutrinos of", "bias", "resolution", "bias, all", "resolution, all"),
        [
            (
                method.name,
                method.neutrinos_of or ABSENT,
                *(with_error(method.metrics.get(name)) for name in names),
            )
            for method in evaluation.methods
        ],
    )


def _neutrinos(evaluation: Evaluation) -> Table:
    return Table(
        "Neutrinos, GeV",
        (
            "method",
            "particle",
            *(f"{name} {quantity}" for name in COMPONENTS for quantity in ("bias", "resolution")),
        ),
        [
            (
                method.name,
                particle,
                *(
                    with_error(method.metrics.get(f"{particle}_{component}_{quantity}"))
                    for component in COMPONENTS
                    for quantity in ("bias", "resolution")
                ),
            )
            for method in with_neutrinos(evaluation)
            for particle in PARTICLES
        ],
    )


def _cells(binned: Binned) -> list[str]:
    return [
        with_error(None if value is None or error is None else Estimate(value, error))
        for value, error in zip(binned.values, binned.errors, strict=True)
    ]
