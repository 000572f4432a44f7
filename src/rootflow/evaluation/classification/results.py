"""What an evaluation of classifiers found, as plain data: all figures and tables need no more.

Everything is weighted by the expected number of events, unless it says otherwise. None
stands for a number that does not exist.
"""

from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.classification import naming
from rootflow.evaluation.results import Binned, Estimate, Histogram
from rootflow.evaluation.saving import read_json, write_json

Number = float | None
Row = dict[str, Any]


class Scored(NamedTuple):
    """What one model says of n events.

    Attributes
    ----------
    name
        The model's.
    scores
        (n,) probability of signal, by the model that has not seen the event.
    seen_scores
        (n,) by a model that has trained on the event; NaN for data, which none has.
    """

    name: str
    scores: NDArray[np.float64]
    seen_scores: NDArray[np.float64]


class Process(NamedTuple):
    """One sample as it is selected, before any cut on a score.

    Attributes
    ----------
    name, title
        In tables, and in figures (may have LaTeX).
    label
        What it is to the models.
    events
        How many there are, without weights.
    expected
        Sum of weights and the square root of the sum of squared weights; None for data.
    """

    name: str
    title: str
    label: Literal["signal", "background", "data"]
    events: int
    expected: Estimate | None


class Yield(NamedTuple):
    """What is left of a process after the best cut; as `Process`."""

    process: str
    events: int
    expected: Estimate | None


class Counts(NamedTuple):
    """Events of data in bins, with the limits of the central 68.27 % interval of each mean.

    F. Garwood, Biometrika 28 (1936) 437: limits by the chi2 distribution; the lower one of
    zero events is zero. They are the ends of the error bars, not their lengths.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]


class Spectrum(NamedTuple):
    """A quantity's histogram of each simulated process, by its name, and of data.

    All have the same edges. `data` is None where there is none.
    """

    edges: tuple[float, ...]
    processes: dict[str, Histogram]
    data: Counts | None


class Roc(NamedTuple):
    """The receiver operating characteristic, signal against all backgrounds.

    Attributes
    ----------
    signal_efficiency
        Rising, from 0 to 1.
    background_efficiency, errors
        At that signal efficiency, and its bootstrap error.
    """

    signal_efficiency: tuple[float, ...]
    background_efficiency: tuple[float, ...]
    errors: tuple[float, ...]


class Rejection(NamedTuple):
    """1 / background efficiency at a signal efficiency; None where no background is left."""

    signal_efficiency: float
    rejection: Estimate | None


class Ranking(NamedTuple):
    """How well the score puts signal above background.

    Attributes
    ----------
    auc
        Area under the ROC curve: the probability that an event of signal has a higher score
        than one of background, ties counted half.
    auc_against
        The same against each background alone, by its name.
    roc, rejections
        The curve, and points of it.
    """

    auc: Estimate
    auc_against: dict[str, Estimate]
    roc: Roc
    rejections: tuple[Rejection, ...]


class Difference(NamedTuple):
    """How much better one model ranks than another, on the same replicas.

    Attributes
    ----------
    model, other
        Their names.
    auc
        Of `model` less that of `other`.
    p_value
        That `model` is no better: the share of replicas in which the difference is not
        positive. Small: the model is better. Never zero: (1 + hits) / (1 + replicas).
    """

    model: str
    other: str
    auc: Estimate
    p_value: float


class HypothesisTest(NamedTuple):
    """A test of one hypothesis.

    Attributes
    ----------
    statistic
        Maximal distance of the distribution functions, or chi2.
    degrees_of_freedom
        Of the chi2; None for Kolmogorov-Smirnov.
    p_value
        Probability of so large a statistic or a larger one, were the hypothesis true.
    """

    statistic: float
    degrees_of_freedom: int | None
    p_value: float


class ClassOverTraining(NamedTuple):
    """Scores of one class: half of its events as unseen, the other half as seen.

    Attributes
    ----------
    train, test
        Scores of the events of one half by models that have trained on them, and of the
        other half's events by models that have not: no event is in both. Sums of weights:
        to be normalised to compare shapes.
    kolmogorov_smirnov, chi2
        That both are of one distribution; None where there are too few events.
    """

    train: Histogram
    test: Histogram
    kolmogorov_smirnov: HypothesisTest | None
    chi2: HypothesisTest | None


class OverTraining(NamedTuple):
    """Scores of events seen in training against those of others, by class."""

    signal: ClassOverTraining
    background: ClassOverTraining


class Calibration(NamedTuple):
    """Whether the score is the probability of signal, for classes of the same total weight.

    Attributes
    ----------
    reliability
        The share of signal in bins of the score.
    mean_scores
        In the same bins: where reliability is drawn, and what it should be.
    shares
        Of all events in each bin; they sum to one.
    expected_calibration_error
        The mean of abs(reliability - mean score) over bins, weighted by their shares. It is
        positive for a calibrated score, too, by statistics.
    brier_score
        The mean of (score - label)^2; 0.25 for a score of 0.5 everywhere.
    """

    reliability: Binned
    mean_scores: tuple[Number, ...]
    shares: tuple[float, ...]
    expected_calibration_error: Estimate
    brier_score: Estimate


class Divergence(NamedTuple):
    """How far the m(4l) of a score bin is from the inclusive one.

    Attributes
    ----------
    value
        Jensen-Shannon divergence, in bits: 0 for the same shape, 1 for no overlap. Its error
        is by bootstrap.
    expected
        What statistics alone gives, were m(4l) and score independent: mean and standard
        deviation over permutations.
    p_value
        The share of permutations with so large a divergence or a larger one.
    """

    value: Estimate
    expected: Estimate
    p_value: float


class Sculpting(NamedTuple):
    """m(4l) of background in bins of the score.

    Attributes
    ----------
    score_edges
        Bins with the same expected background; one more entry than `mass` has.
    mass
        Histogram of m(4l), GeV, in each bin of the score.
    inclusive
        Of all scores.
    divergences
        Of each bin from the inclusive one.
    """

    score_edges: tuple[float, ...]
    mass: tuple[Histogram, ...]
    inclusive: Histogram
    divergences: tuple[Divergence, ...]


class Importance(NamedTuple):
    """What is lost without an input.

    Attributes
    ----------
    collection, feature
        The input: `leptons` (of all four at once) or `event`, and its name there.
    auc_drop
        The AUC less that with the input permuted among the events of each fold.
    """

    collection: Literal["leptons", "event"]
    feature: str
    auc_drop: Estimate


class CutScan(NamedTuple):
    """What is expected at a score not below each threshold; all have the same length.

    Attributes
    ----------
    thresholds
        Rising; the first keeps every event.
    signal, background
        Expected events.
    signal_efficiency, background_efficiency
        Relative to the first.
    significance, significance_errors
        Asimov significance with the background's uncertainty, and its bootstrap error; None
        where too few simulated background events are left.
    s_over_sqrt_b
        None likewise.
    """

    thresholds: tuple[float, ...]
    signal: tuple[float, ...]
    background: tuple[float, ...]
    signal_efficiency: tuple[float, ...]
    background_efficiency: tuple[float, ...]
    significance: tuple[Number, ...]
    significance_errors: tuple[Number, ...]
    s_over_sqrt_b: tuple[Number, ...]


class BestCut(NamedTuple):
    """The threshold of the highest significance.

    Attributes
    ----------
    threshold
        Events with a score not below it are kept.
    signal, background
        Expected events, with the error of the simulated statistics.
    signal_efficiency, background_efficiency
        Relative to no cut.
    background_effective_events
        (sum w)^2 / sum(w^2) of the background that is left.
    background_uncertainty
        Expected events: the relative uncertainty and the simulated statistics, in quadrature.
    significance
        Asimov, with that uncertainty; the error is by bootstrap at this threshold.
    significance_without_uncertainty
        Asimov, the background known exactly.
    s_over_sqrt_b
        Signal over the square root of background.
    optimism
        By how much the significance is too high on average since the threshold was chosen
        on the same events; by bootstrap, not subtracted.
    """

    threshold: float
    signal: Estimate
    background: Estimate
    signal_efficiency: float
    background_efficiency: float
    background_effective_events: float
    background_uncertainty: float
    significance: Estimate
    significance_without_uncertainty: Estimate
    s_over_sqrt_b: Estimate
    optimism: float


class FitSignificance(NamedTuple):
    """Discovery significance sqrt(q0) of a fit in bins of the score.

    Attributes
    ----------
    expected
        Of the Asimov data set of signal and background.
    expected_error
        Of the simulated statistics, by bootstrap; None with systematics, where simulated
        statistics are parameters of the fit.
    observed
        Of data, by the out-of-fold scores; None without data.
    observed_signal_strength
        The fitted signal in data, in units of the expected one.
    """

    expected: float
    expected_error: Number
    observed: Number
    observed_signal_strength: Number


class ScoreFit(NamedTuple):
    """A fit of the signal strength in bins of the score.

    Attributes
    ----------
    scores
        What is fitted: the processes and data in bins that hold enough background.
    statistics_only
        Signal and background are known but for the signal strength.
    with_systematics
        With the uncertainties of background normalisation, luminosity and simulated
        statistics in each bin.
    """

    scores: Spectrum
    statistics_only: FitSignificance
    with_systematics: FitSignificance


class ModelResult(NamedTuple):
    """What an evaluation found of one model; all but `over_training` on unseen events.

    Attributes
    ----------
    name
        As its metrics are logged.
    scores
        Of each process and data, in bins from 0 to 1.
    yields
        After the best cut, in the order of the evaluation's processes.
    mass
        m(4l) in GeV after the best cut.
    importance
        The largest drop first.
    """

    name: str
    ranking: Ranking
    scores: Spectrum
    over_training: OverTraining
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

    def metrics(self) -> dict[str, float]:
        """Return `MODEL/METRIC` and `MODEL/METRIC_error`, all finite, as they are logged."""
        return naming.metrics_of(self)

    def tables(self) -> dict[str, list[Row]]:
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
