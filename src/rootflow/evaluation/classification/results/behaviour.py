"""Whether a score can be trusted: over-training, calibration, sculpting of m(4l)."""

from typing import NamedTuple

from rootflow.evaluation.results import Binned, Estimate, Histogram, Number


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
    """Scores of one class: half of its events unseen, the other half in training.

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
        That less the AUC of the same events by models that have not seen them; the error is
        of the difference in the same replicas.
    p_value
        That events in training are ranked no better: (1 + replicas without an excess) /
        (1 + replicas).
    """

    auc: Estimate
    excess: Estimate
    p_value: float


class OverTraining(NamedTuple):
    """Events seen in training against the same, or others, unseen.

    Attributes
    ----------
    ranking
        Of all events by both kinds of models, event by event.
    signal, background
        Scores of one half of the events against those of the other, by class.
    """

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
