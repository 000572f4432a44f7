"""The evaluation as one HTML page that needs nothing else."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import jinja2
import numpy as np

from rootflow.evaluation.figures.captions import caption_of
from rootflow.evaluation.figures.neutrinos import COMPONENTS, PARTICLES, with_neutrinos
from rootflow.evaluation.metrics import DEFINITIONS
from rootflow.evaluation.results import Binned, Estimate, Evaluation
from rootflow.files import whole_file

ABSENT = "–"  # noqa: RUF001


class _Table(NamedTuple):
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


class _Figure(NamedTuple):
    name: str
    title: str
    caption: str
    data: str


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
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("rootflow.evaluation"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html").render(
        evaluation=evaluation,
        tables=_tables(evaluation),
        figures=[_figure(figure) for figure in figures if figure.suffix == ".png"],
        definitions=DEFINITIONS,
        provenance=provenance,
    )
    with whole_file(path) as partial:
        partial.write_text(page, encoding="utf-8")


def with_error(estimate: Estimate | None) -> str:
    """Return value and error, both to the error's second digit, or a dash for none."""
    if estimate is None:
        return ABSENT
    value, error = estimate
    if error == 0:
        return f"{value:.4g}"
    decimals = max(0, 1 - int(np.floor(np.log10(error))))
    return f"{value:.{decimals}f} ± {error:.{decimals}f}"


def _figure(path: Path) -> _Figure:
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return _Figure(path.stem, *caption_of(path.stem), data)


def _tables(evaluation: Evaluation) -> list[_Table]:
    tables = [_assignment(evaluation), _by_jets(evaluation), _mtt(evaluation)]
    return [*tables, _neutrinos(evaluation)] if with_neutrinos(evaluation) else tables


def _assignment(evaluation: Evaluation) -> _Table:
    names = ("assignment_accuracy", "either_accuracy", "selection_accuracy", "efficiency")
    return _Table(
        "Assignment",
        ("method", "both right", "at least one right", "right two jets", "efficiency"),
        [
            (method.name, *(with_error(method.metrics.get(name)) for name in names))
            for method in evaluation.methods
        ],
    )


def _by_jets(evaluation: Evaluation) -> _Table:
    first = [round(edge + 0.5) for edge in evaluation.methods[0].accuracy_by_jets.edges[:-1]]
    counts = [f"{count} jets" for count in first[:-1]] + [f"{first[-1]} or more"]
    return _Table(
        "Both right, by jet multiplicity",
        ("method", *counts),
        [(method.name, *_cells(method.accuracy_by_jets)) for method in evaluation.methods],
    )


def _mtt(evaluation: Evaluation) -> _Table:
    names = ("mtt_bias", "mtt_resolution", "mtt_all_bias", "mtt_all_resolution")
    return _Table(
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


def _neutrinos(evaluation: Evaluation) -> _Table:
    return _Table(
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
