"""What an evaluation of classifiers found, as plain data: all figures and tables need no more.

Everything is weighted by the expected number of events, unless it says otherwise. None
stands for a number that does not exist.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.results import Binned, Estimate, Histogram, Number, Spectrum


class Scored(NamedTuple):
    """What one model says of n events.

    Attributes
    ----------
    name
        The model's.
    scores
        (n,) probability of signal, by the model that has not trained on the event.
    scores_in_training
        (n,) by a model that has; NaN for data, and everywhere where no event is known to have
        been trained on.
    probabilities
        (n, classes), as `scores`; None of two classes.
    """

    name: str
    scores: NDArray[np.float64]
    scores_in_training: NDArray[np.float64]
    probabilities: NDArray[np.float64] | None = None


class Roc(NamedTuple):
    """Background efficiencies and their bootstrap errors at rising signal efficiencies."""

    signal_efficiency: tuple[float, ...]
    background_efficiency: tuple[float, ...]
    errors: tuple[float, ...]


class Rejection(NamedTuple):
    """1 / background efficiency at a signal efficiency.

    None where no background is left, in the sample or in the replicas behind the error.
    """

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
    """Scores of signal or background: half of the events unseen, the other half in training.

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


class RankingInTraining(NamedTuple):
    """How well models rank the events that they have trained on.

    Attributes
    ----------
    auc
        By a model that has trained on the event, of all events.
    excess
        That less the AUC of the same events by models that have not; the error is of the
        difference in the same replicas.
    p_value
        That events in training are ranked no better: (1 + replicas without an excess) /
        (1 + replicas).
    """

    auc: Estimate
    excess: Estimate
    p_value: float


class OverTraining(NamedTuple):
    """All events in training against the same unseen, and halves of them by class."""

    ranking: RankingInTraining
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
    """How far the observable's shape in a score bin is from the inclusive one.

    Attributes
    ----------
    value
        Jensen-Shannon divergence, in bits: 0 for the same shape, 1 for no overlap. Its error
        is by bootstrap.
    expected
        What statistics alone gives, were observable and score independent: mean and standard
        deviation over permutations.
    p_value
        The share of permutations with so large a divergence or a larger one.
    """

    value: Estimate
    expected: Estimate
    p_value: float


class Sculpting(NamedTuple):
    """The observable of background in bins of the score.

    Attributes
    ----------
    score_edges
        Bins with the same expected background; one more entry than `observable` has.
    observable
        Its histogram in each bin of the score.
    inclusive
        Of all scores.
    divergences
        Of each bin from the inclusive one.
    """

    score_edges: tuple[float, ...]
    observable: tuple[Histogram, ...]
    inclusive: Histogram
    divergences: tuple[Divergence, ...]


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
        Of data; None without any.
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
