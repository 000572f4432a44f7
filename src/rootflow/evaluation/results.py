"""What an evaluation found, as plain data: figures and tables are made from it alone."""

from pathlib import Path
from typing import NamedTuple

from rootflow.evaluation.saving import read_json, write_json

Number = float | None

# What is said of a method that does not describe itself, such as a network.
UNDER_EVALUATION = "the method under evaluation"


class Estimate(NamedTuple):
    """A value and its statistical error."""

    value: float
    error: float


class Binned(NamedTuple):
    """An estimate in each bin; None in a bin without events.

    `edges` has one more entry than the others. In bins of a count, such as that of jets,
    they are half-integers and the last bin takes all that is larger.
    """

    edges: tuple[float, ...]
    values: tuple[Number, ...]
    errors: tuple[Number, ...]


class Histogram(NamedTuple):
    """Sums of weights and of squared weights in bins; `total` counts the events outside, too."""

    edges: tuple[float, ...]
    weights: tuple[float, ...]
    squared_weights: tuple[float, ...]
    total: float


class Migration(NamedTuple):
    """Share of the events of each bin of the truth (row) in each bin of the reconstruction.

    The first column is what is reconstructed below the first edge, the last one above the last
    edge, so that rows sum to one; None where there is no event.
    """

    edges: tuple[float, ...]
    shares: tuple[tuple[Number, ...], ...]


class MttResult(NamedTuple):
    """m(ttbar) of solved events with both b jets matched.

    Attributes
    ----------
    residuals
        (reconstructed - true) / true.
    bias, resolution
        Of the residuals, in bins of the true m(ttbar).
    migration
        From the true to the reconstructed m(ttbar).
    """

    residuals: Histogram
    bias: Binned
    resolution: Binned
    migration: Migration


class ScoreResult(NamedTuple):
    """Scores of solved events with both b jets matched.

    Attributes
    ----------
    right, wrong
        Those with both b jets right, and the others.
    accuracy
        How often a score is right: on the diagonal, where it is a calibrated probability.
    """

    right: Histogram
    wrong: Histogram
    accuracy: Binned


class MethodResult(NamedTuple):
    """What an evaluation found of one method.

    Attributes
    ----------
    name
        As its metrics are logged.
    description
        What it does, in one sentence.
    neutrinos_of
        The method whose neutrinos complete its top quarks; None where none do.
    metrics
        By name, such as `assignment_accuracy`; one that does not exist is absent.
    accuracy_by_jets, accuracy_by_top_pt, accuracy_by_mtt
        Share of matched events with both b jets right.
    neutrino_residuals
        Reconstruction less truth in GeV, by `neutrino_px` and the like; empty where the
        method has no neutrinos of its own.
    mtt
        None where there are no neutrinos.
    scores
        None where they are not probabilities of a model.
    """

    name: str
    description: str
    neutrinos_of: str | None
    metrics: dict[str, Estimate]
    accuracy_by_jets: Binned
    accuracy_by_top_pt: Binned
    accuracy_by_mtt: Binned
    neutrino_residuals: dict[str, Histogram]
    mtt: MttResult | None
    scores: ScoreResult | None


class Evaluation(NamedTuple):
    """What an evaluation found, and on which events.

    Attributes
    ----------
    events, matched_events
        How many there are, and how many of them have both b jets matched.
    sum_of_weights, effective_events
        sum(w), and (sum w)^2 / sum(w^2).
    folds
        Those that the events are of.
    replicas, seed
        Of the bootstrap.
    energy_tev
        In TeV, None where it is not known.
    methods
        In the order in which they were given.
    """

    events: int
    matched_events: int
    sum_of_weights: float
    effective_events: float
    folds: tuple[int, ...]
    replicas: int
    seed: int
    energy_tev: float | None
    methods: tuple[MethodResult, ...]

    def metrics(self) -> dict[str, float]:
        """Return `METRIC/METHOD` and `METRIC_error/METHOD`, all finite, as they are logged."""
        logged = {}
        for method in self.methods:
            for name, estimate in method.metrics.items():
                logged[f"{name}/{method.name}"] = estimate.value
                logged[f"{name}_error/{method.name}"] = estimate.error
        return logged

    def table(self) -> list[dict[str, str | float | None]]:
        """Return one row per method; None where a metric does not exist."""
        return [_row(method) for method in self.methods]


TABLE_METRICS = (
    "assignment_accuracy",
    "either_accuracy",
    "selection_accuracy",
    "mtt_bias",
    "mtt_resolution",
    "efficiency",
)


def _row(method: MethodResult) -> dict[str, str | float | None]:
    row: dict[str, str | float | None] = {"method": method.name}
    for name in TABLE_METRICS:
        estimate = method.metrics.get(name)
        row[name] = estimate.value if estimate else None
        row[f"{name}_error"] = estimate.error if estimate else None
    return {**row, "neutrinos_of": method.neutrinos_of}


def save(evaluation: Evaluation, path: Path) -> None:
    """Write the evaluation as JSON."""
    write_json(evaluation, path)


def read(path: Path) -> Evaluation:
    """Read what `save` wrote.

    Raises
    ------
    InputError
        The file cannot be read or is not an evaluation.
    """
    return read_json(Evaluation, path)
