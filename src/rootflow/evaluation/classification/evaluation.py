"""All that an evaluation found, of each model and of all, saved and read."""

from pathlib import Path
from typing import Literal, NamedTuple

from rootflow.evaluation.classification.metrics import metrics_of
from rootflow.evaluation.classification.observable import EventObservable
from rootflow.evaluation.classification.results import ModelResult, Scored
from rootflow.evaluation.folder import read_json, write_json
from rootflow.evaluation.results import (
    Comparison,
    Number,
    Process,
    Spectrum,
    Yield,
    data_in_words,
)


class HeldOut(NamedTuple):
    """Where one model evaluates the fold that it has not trained on: which, and of how many."""

    fold: int
    folds: int


class ClassificationEvaluation(NamedTuple):
    """What an evaluation found, and on which events.

    Attributes
    ----------
    processes
        Every sample, in the manifest's order.
    classes, signals
        Names of the classes, and of those that are signal.
    observable
        What is drawn beside the score, None for nothing.
    in_window
        Of the processes, what counts in cuts and fits.
    spectrum
        The observable before any cut on a score; None without one.
    models
        In the order in which they were given.
    comparisons
        Of every ordered pair of models.
    replicas, seed
        Of the bootstrap.
    background_uncertainty, luminosity_uncertainty
        Relative, in the significances.
    significance_window
        Of the observable: only events within count in the scan, the best cut, the yields
        after it and the fit; None where all do.
    luminosity_fb_inverse
        None where no sample is normalised to one.
    energy_tev
        None where it is not known.
    held_out
        Where all events, data too, are of one fold, and the luminosity is its share; None where
        they are of all folds.
    scored
        What each model says of each event; not saved: empty after `read`.
    """

    processes: tuple[Process, ...]
    classes: tuple[str, ...]
    signals: tuple[str, ...]
    observable: EventObservable | None
    in_window: tuple[Yield, ...]
    spectrum: Spectrum | None
    models: tuple[ModelResult, ...]
    comparisons: tuple[Comparison, ...]
    replicas: int
    seed: int
    background_uncertainty: float
    luminosity_uncertainty: float
    significance_window: tuple[float, float] | None
    luminosity_fb_inverse: Number
    energy_tev: Number
    held_out: HeldOut | None = None
    scored: tuple[Scored, ...] = ()
    task: Literal["classification"] = "classification"

    @property
    def data(self) -> str:
        """What events of data are: collisions, simulation that stands for them, or both."""
        return data_in_words(self.processes)

    @property
    def window(self) -> str:
        """Which events count in significances, in words."""
        if self.observable is None or self.significance_window is None:
            return "all"
        return self.observable.between(self.significance_window)

    def metrics(self) -> dict[str, float]:
        """Return `METRIC/MODEL` and `METRIC_error/MODEL`, all finite, as they are logged."""
        return metrics_of(self)


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
