"""What is expected of an analysis that cuts on a score, or fits it."""

from typing import NamedTuple

from rootflow.evaluation.classification.results.samples import Spectrum
from rootflow.evaluation.results import Estimate, Number


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
