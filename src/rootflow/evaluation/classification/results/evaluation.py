"""All that an evaluation found, of each model and of all, saved and read."""

from pathlib import Path
from typing import Literal, NamedTuple

from rootflow.evaluation.classification import naming
from rootflow.evaluation.classification.results.behaviour import (
    Calibration,
    OverTraining,
    Sculpting,
)
from rootflow.evaluation.classification.results.ranking import Difference, Importance, Ranking
from rootflow.evaluation.classification.results.samples import Process, Scored, Spectrum, Yield
from rootflow.evaluation.classification.results.significance import BestCut, CutScan, ScoreFit
from rootflow.evaluation.results import Number
from rootflow.evaluation.saving import read_json, write_json


class ModelResult(NamedTuple):
    """What an evaluation found of one model; all but over-training on unseen events.

    Attributes
    ----------
    name
        As its metrics are logged.
    ranking, ranking_in_window
        Of all events, and of those that count in significances; None where all do.
    scores
        Of each process and data, in bins from 0 to 1.
    over_training, over_training_in_window
        Of the same two; None where no event is known to have been trained on.
    yields
        After the best cut, in the order of the evaluation's processes.
    mass
        m(4l) in GeV after the best cut.
    importance
        The largest drop first.
    """

    name: str
    ranking: Ranking
    ranking_in_window: Ranking | None
    scores: Spectrum
    over_training: OverTraining | None
    over_training_in_window: OverTraining | None
    calibration: Calibration
    sculpting: Sculpting
    importance: tuple[Importance, ...]
    scan: CutScan
    best_cut: BestCut
    yields: tuple[Yield, ...]
    mass: Spectrum
    fit: ScoreFit


class ClassificationEvaluation(NamedTuple):
    """What an evaluation found, and on which events.

    Attributes
    ----------
    processes
        Every sample, in the manifest's order.
    in_window
        Of the same, those that count in cuts and fits.
    mass
        m(4l) in GeV before any cut on a score.
    models
        In the order in which they were given.
    differences
        Of every ordered pair of models.
    replicas, seed
        Of the bootstrap.
    background_uncertainty, luminosity_uncertainty
        Relative, in the significances.
    significance_window_gev
        Of m(4l): only events within count in the scan, the best cut, the yields after it and
        the fit; None where all do.
    luminosity_fb_inverse
        None where no sample is normalised to one.
    energy_tev
        None where it is not known.
    scored
        What each model says of each event; not saved: empty after `read`.
    """

    processes: tuple[Process, ...]
    in_window: tuple[Yield, ...]
    mass: Spectrum
    models: tuple[ModelResult, ...]
    differences: tuple[Difference, ...]
    replicas: int
    seed: int
    background_uncertainty: float
    luminosity_uncertainty: float
    significance_window_gev: tuple[float, float] | None
    luminosity_fb_inverse: Number
    energy_tev: Number
    scored: tuple[Scored, ...] = ()
    task: Literal["classification"] = "classification"

    @property
    def data(self) -> str:
        """What events of data are: collisions, simulation that stands for them, or both."""
        kinds = {process.pseudo_data for process in self.processes if process.label == "data"}
        return {(True,): "pseudo-data", (False, True): "data and pseudo-data"}.get(
            tuple(sorted(kinds)), "data"
        )

    def metrics(self) -> dict[str, float]:
        """Return `METRIC/MODEL` and `METRIC_error/MODEL`, all finite, as they are logged."""
        return naming.metrics_of(self)

    def tables(self) -> dict[str, list[naming.Row]]:
        """Return the tables `auc`, `best_cut`, `fit` and `yields`, a dictionary per row."""
        return naming.tables_of(self)


def save(evaluation: ClassificationEvaluation, path: Path) -> None:
    """Write the evaluation as JSON, without the scores of single events."""
    write_json(evaluation._replace(scored=()), path)


def read(path: Path) -> ClassificationEvaluation:
    """Read what `save` wrote.

    Raises
    ------
    InputError
        The file cannot be read or is not such an evaluation.
    """
    return read_json(ClassificationEvaluation, path)
