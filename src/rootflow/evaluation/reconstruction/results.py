"""What an evaluation of reconstructions found, as plain data."""

from pathlib import Path
from typing import Literal, NamedTuple

from rootflow.estimate import Estimate
from rootflow.evaluation.folder import read_json
from rootflow.evaluation.results import (
    Binned,
    Comparison,
    Histogram,
    Importance,
    Number,
    Process,
    Rows,
    Spectrum,
    logged,
)

# What is said of a method that does not describe itself, such as a network.
UNDER_EVALUATION = "the method under evaluation"
TABLE_METRICS = (
    "assignment_accuracy",
    "either_accuracy",
    "selection_accuracy",
    "mtt_bias",
    "mtt_resolution",
    "efficiency",
)


class Migration(NamedTuple):
    """How the solved events of each bin of the truth (row) spread over the reconstruction.

    In the first column of `shares` is what is reconstructed below the first edge, in the last one
    what is above the last edge, so that rows sum to one; None where there is no event. Of the
    events reconstructed in a bin, `purity` is the share generated in it, `stability` is the other
    way round; `efficiency` is the share of those generated in it that are reconstructed in any
    bin. The condition number is that of the response among the bins, largest over smallest
    singular value; None where a bin is empty.
    """

    edges: tuple[float, ...]
    shares: Rows
    purity: tuple[Number, ...]
    stability: tuple[Number, ...]
    efficiency: tuple[Number, ...]
    condition_number: Number


class ObservableResult(NamedTuple):
    """An observable as a method reconstructs it.

    Residuals are reconstructed less true, relative where the observable says so; bias and
    resolution are in bins of the true value; distribution and migration are of all solved events,
    matched or not.
    """

    residuals: Histogram
    bias: Binned
    resolution: Binned
    distribution: Histogram
    migration: Migration


class ScoreResult(NamedTuple):
    """Scores of solved matched events: of those with both b jets right, and of the others.

    `accuracy` is how often a score is right: on the diagonal, where it is a calibrated probability.
    """

    right: Histogram
    wrong: Histogram
    accuracy: Binned


class Confusion(NamedTuple):
    """Share of the matched events with the true jet in a slot (row) by the slot chosen.

    Slots fall in pT. The last column is of events without an answer; rows sum to one, None
    where there is no event.
    """

    b: Rows
    bbar: Rows


class Coverage(NamedTuple):
    """Share of solved events with the truth inside an interval of a posterior; ideally `levels`."""

    levels: tuple[float, ...]
    shares: tuple[Number, ...]
    errors: tuple[Number, ...]


class Cost(NamedTuple):
    """What a method costs: wall time of this machine, and how many parameters were fitted.

    `parameters` is None where there are none, or where a file does not tell.
    """

    seconds: float
    events_per_second: float
    parameters: int | None


class MethodResult(NamedTuple):
    """What an evaluation found of one method.

    Its top quarks are completed by the neutrinos of a method, None where none are; metrics that do
    not exist are absent. Accuracies are the share of matched events with both b jets right, with
    the right two jets in either order, and the first over that of the evaluation's reference, by
    the name of what is binned. Observables of neutrinos are there where the method has its own.
    Scores are None where they are no probabilities of a model. Empty are the coverage by observable
    without a posterior, the importance, the largest first, of what is no network, and the spectra
    of solved events in collisions and in what is expected, by observable, without collisions or of
    methods that are not evaluated but compared with.
    """

    name: str
    description: str
    neutrinos_of: str | None
    metrics: dict[str, Estimate]
    accuracy_by: dict[str, Binned]
    selection_by: dict[str, Binned]
    relative_accuracy_by: dict[str, Binned]
    confusion: Confusion
    observables: dict[str, ObservableResult]
    scores: ScoreResult | None
    coverage: dict[str, Coverage]
    importance: tuple[Importance, ...]
    cost: Cost
    spectra: dict[str, Spectrum]


class Complement(NamedTuple):
    """Share of matched events in which `right` gets both b jets and `wrong` does not."""

    right: str
    wrong: str
    share: Estimate


class Particle(NamedTuple):
    """A particle of an event display: momentum in GeV and what it is."""

    kind: str
    px: float
    py: float
    pz: float


class Display(NamedTuple):
    """One event as it was measured, generated and reconstructed by a method, and why it was picked.

    `event` and `file_index` identify it; jets are named by what they are truly and what the method
    takes them for.
    """

    reason: str
    method: str
    event: str
    file_index: int
    score: float
    measured: tuple[Particle, ...]
    generated: tuple[Particle, ...]
    reconstructed: tuple[Particle, ...]


class Evaluation(NamedTuple):
    """What an evaluation found, and on which events.

    Effective events are (sum w)^2 / sum(w^2). Accuracies are relative to the `reference`; `drawn`
    observables get figures; `truth` has the distributions of all events' true observables.
    Comparisons and complements are of every two methods, both ways. `true_leptons` is None where an
    older evaluation does not say whether the true decays are made of them; `processes` are the
    samples in the figures of collisions.
    """

    events: int
    matched_events: int
    sum_of_weights: float
    effective_events: float
    folds: tuple[int, ...]
    replicas: int
    seed: int
    energy_tev: float | None
    reference: str
    drawn: tuple[str, ...]
    truth: dict[str, Histogram]
    methods: tuple[MethodResult, ...]
    comparisons: tuple[Comparison, ...]
    complements: tuple[Complement, ...]
    displays: tuple[Display, ...]
    true_leptons: bool | None = None
    processes: tuple[Process, ...] = ()
    task: Literal["reconstruction"] = "reconstruction"

    def metrics(self) -> dict[str, float]:
        """Return `METRIC/METHOD` and `METRIC_error/METHOD`, all finite, as they are logged."""
        return logged((method.name, method.metrics.items()) for method in self.methods)

    def table(self) -> list[dict[str, str | float | None]]:
        """Return one row per method; None where a metric does not exist."""
        rows = []
        for method in self.methods:
            row: dict[str, str | float | None] = {"method": method.name}
            for name in TABLE_METRICS:
                row[name], row[f"{name}_error"] = method.metrics.get(name, (None, None))
            rows.append({**row, "neutrinos_of": method.neutrinos_of})
        return rows


def read(path: Path) -> Evaluation:
    """Read what `save` wrote; a file that is no evaluation is an InputError."""
    return read_json(Evaluation, path)
