"""What an evaluation of classifiers found of one model, as plain data for figures and tables.

Everything is weighted by the expected number of events, unless it says otherwise. None stands for
a number that does not exist.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.results import (
    Binned,
    Estimate,
    Histogram,
    Importance,
    Number,
    Spectrum,
    Yield,
)

# Behind the names of what is of events that count in significances, where not all do.
IN_WINDOW = "_in_window"


class Scored(NamedTuple):
    """What one model says of n events.

    The scores (n,) are probabilities of signal by the model that has not trained on the event;
    those in training by one that has: NaN for data, and everywhere where no event is known to have
    been trained on. The probabilities (n, classes) are as `scores`, None of two classes.
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
    """1 / background efficiency, None where no background is left in sample or replicas."""

    signal_efficiency: float
    rejection: Estimate | None


class Ranking(NamedTuple):
    """How well the score puts signal above background, and above each by its name."""

    auc: Estimate
    auc_against: dict[str, Estimate]
    roc: Roc
    rejections: tuple[Rejection, ...]


class HypothesisTest(NamedTuple):
    """A Kolmogorov-Smirnov distance, or a chi2, which has degrees of freedom, and its p-value."""

    statistic: float
    degrees_of_freedom: int | None
    p_value: float


class ClassOverTraining(NamedTuple):
    """Scores of one half of signal or background in training (`train`), of the other unseen.

    Histograms are of weights, to be normalised to compare shapes. The tests are that both are of
    one distribution; None where there are too few events.
    """

    train: Histogram
    test: Histogram
    kolmogorov_smirnov: HypothesisTest | None
    chi2: HypothesisTest | None


class RankingInTraining(NamedTuple):
    """The AUC of events by models that have trained on them, and its excess over that by others.

    The p-value is of events in training being ranked no better.
    """

    auc: Estimate
    excess: Estimate
    p_value: float


class OverTraining(NamedTuple):
    """All events in training against the same unseen, and halves of them by class."""

    ranking: RankingInTraining
    signal: ClassOverTraining
    background: ClassOverTraining


class PartOfEvents(NamedTuple):
    """What was found of all events, or of those in the window, with the ending of its metrics."""

    ending: str
    ranking: Ranking
    over_training: OverTraining | None


class Calibration(NamedTuple):
    """Whether the score is the probability of signal, for classes of the same total weight.

    `reliability` is the share of signal in bins of the score, `mean_scores` where it is drawn and
    what it should be; `shares` of all events in each bin sum to one. The calibration error is the
    mean of abs(reliability - mean score), positive for a calibrated score, too, by statistics.
    """

    reliability: Binned
    mean_scores: tuple[Number, ...]
    shares: tuple[float, ...]
    expected_calibration_error: Estimate
    brier_score: Estimate


class Divergence(NamedTuple):
    """How far the observable's shape in a score bin is from the inclusive one.

    It is the Jensen-Shannon divergence, in bits: 0 for the same shape, 1 for no overlap.
    `expected` is mean and standard deviation over permutations that make both independent; the
    p-value is the share of them with so large a divergence or a larger one.
    """

    value: Estimate
    expected: Estimate
    p_value: float


class Sculpting(NamedTuple):
    """The observable of background in bins of the score, and how far each is from all scores."""

    score_edges: tuple[float, ...]
    observable: tuple[Histogram, ...]
    inclusive: Histogram
    divergences: tuple[Divergence, ...]


class CutScan(NamedTuple):
    """What is expected at a score not below each of k rising thresholds; the first keeps all.

    The Asimov significance is with the background's uncertainty; it and s/sqrt(b) are None where
    too few simulated background events are left.
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
    """The threshold of the highest significance (Asimov's): events not below it are kept.

    Effective events are (sum w)^2 / sum(w^2); `background_uncertainty` is in events. `optimism`,
    which is not subtracted, is by how much the significance is too high since the threshold was
    chosen on the same events.
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

    The error of the expected one is None with systematics, where simulated statistics are
    parameters of the fit. What is observed, with the fitted signal in units of the expected one, is
    None without data.
    """

    expected: float
    expected_error: Number
    observed: Number
    observed_signal_strength: Number


class ScoreFit(NamedTuple):
    """A fit of the signal strength to `scores`, in bins that hold enough background.

    Systematics are of background normalisation, luminosity and simulated statistics in each bin.
    """

    scores: Spectrum
    statistics_only: FitSignificance
    with_systematics: FitSignificance


class OneAgainstRest(NamedTuple):
    """How well a class is told from all others by its own probability."""

    name: str
    auc: Estimate
    scores: Spectrum


class Classes(NamedTuple):
    """Classes told apart; `confusion` is the share of events of one (row) given one (column)."""

    one_against_rest: tuple[OneAgainstRest, ...]
    confusion: tuple[tuple[Estimate, ...], ...]


class Variation(NamedTuple):
    """A systematic variation of the weights, less the nominal ones, at the nominal best cut."""

    name: str
    auc: float
    signal: float
    background: float
    significance: float


class ModelResult(NamedTuple):
    """What an evaluation found of one model; all but over-training on unseen events.

    What is `in_window` is of events that count in significances, None where all do; over-training
    is None where no event is known to have been trained on, `classes` where there are two, and
    `after_cut` and `sculpting` without an observable. `yields` are after the best cut, in the order
    of the evaluation's processes.
    """

    name: str
    ranking: Ranking
    ranking_in_window: Ranking | None
    scores: Spectrum
    over_training: OverTraining | None
    over_training_in_window: OverTraining | None
    calibration: Calibration
    sculpting: Sculpting | None
    importance: tuple[Importance, ...]
    scan: CutScan
    best_cut: BestCut
    yields: tuple[Yield, ...]
    after_cut: Spectrum | None
    fit: ScoreFit
    classes: Classes | None = None
    variations: tuple[Variation, ...] = ()

    @property
    def parts(self) -> list[PartOfEvents]:
        """All events, and those that count in significances where not all do."""
        whole = PartOfEvents("", self.ranking, self.over_training)
        if self.ranking_in_window is None:
            return [whole]
        inside = PartOfEvents(IN_WINDOW, self.ranking_in_window, self.over_training_in_window)
        return [whole, inside]
