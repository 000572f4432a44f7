"""All that an evaluation found, saved, read, and as numbers by name and warnings in words."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from rootflow.estimate import ASYMPTOTIC, Estimate, PValue, with_error
from rootflow.evaluation.classification.labelled import EventObservable
from rootflow.evaluation.classification.results import (
    HypothesisTest,
    ModelResult,
    OverTraining,
    Scored,
)
from rootflow.evaluation.folder import read_json, write_json
from rootflow.evaluation.results import (
    Comparison,
    Number,
    Process,
    Spectrum,
    Yield,
    data_in_words,
    logged,
)

# Either happens by chance in about one of a thousand evaluations.
ERRORS_APART = 3.0
SMALL_P_VALUE = 0.001
DEFINITIONS = {
    "auc": "area under the ROC curve, signal against all backgrounds",
    "auc_against_NAME": "the same against one of several backgrounds",
    "auc_of_NAME": "of one of several classes against all others, by its own probability",
    "right_class_of_NAME": "share of its events that are given this one of several classes",
    "auc_in_window": "the same of events that count in significances; so other names that end so",
    "rejection_at_70": "1 / background efficiency at 70 % signal efficiency; so at others",
    "auc_training": "the same by models that have trained on the events: never how good a model is",
    "auc_training_excess": "auc_training less auc, event by event; the error is of the difference",
    "auc_training_p_value": "of events in training being ranked no better",
    "ks_p_value_signal": "Kolmogorov-Smirnov, one half of signal as in training against the other "
    "half as unseen; so for background",
    "chi2_p_value_signal": "chi2 test of the same two histograms",
    "calibration_error": "mean distance of score and share of signal, classes of the same weight",
    "brier_score": "mean of (score - label)^2, classes of the same weight",
    "sculpting": "largest Jensen-Shannon divergence, in bits, of the background's observable in a "
    "bin of the score from the inclusive one",
    "sculpting_expected": "what statistics alone gives in that bin",
    "sculpting_p_value": "of the smallest p-value of all bins, times their number",
    "best_cut": "threshold on the score with the highest significance",
    "significance": "Asimov significance at the best cut with the background's uncertainty",
    "significance_optimism": "by how much it is too high as the cut was chosen on the same events",
    "s_over_sqrt_b": "signal over square root of background at the best cut",
    "signal": "expected at the best cut; so background",
    "fit_significance": "expected significance of the fit in score bins, with systematics",
    "fit_significance_statistics_only": "the same without",
    "fit_observed_significance": "that of data",
    "fit_observed_signal_strength": "fitted signal in data over the expected one",
}


class HeldOut(NamedTuple):
    """Where one model evaluates the fold that it has not trained on: which, and of how many."""

    fold: int
    folds: int


class ClassificationEvaluation(NamedTuple):
    """What an evaluation found, and on which events.

    Processes are every sample, in the manifest's order; `in_window` is what of them counts in cuts
    and fits, which is all without a `significance_window` of the observable. The spectrum is that
    of the observable before any cut on a score, None without one; comparisons are of every ordered
    pair of models. Uncertainties are relative, in the significances. The luminosity is that of the
    fold where one is held out; it is None where no sample is normalised to one, and the energy
    where it is not known. All events, data too, are of the fold that is held out, None where they
    are of all. What each model says of each event, `scored`, is not saved: empty after `read`.
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
        """What events of data are, in words."""
        return data_in_words(self.processes)

    @property
    def window(self) -> str:
        """Which events count in significances, in words."""
        if self.observable is None or self.significance_window is None:
            return "all"
        return self.observable.between(self.significance_window)

    def metrics(self) -> dict[str, float]:
        """Return `METRIC/MODEL` and `METRIC_error/MODEL`; what is not finite is absent."""
        return logged((model.name, _metrics(model)) for model in self.models)


def save(evaluation: ClassificationEvaluation, path: Path) -> None:
    """Write the evaluation as JSON, without the scores of single events."""
    write_json(evaluation._replace(scored=()), path)


def read(path: Path) -> ClassificationEvaluation:
    """Read what `save` wrote; any other file is an InputError."""
    return read_json(ClassificationEvaluation, path)


def _metrics(model: ModelResult) -> Iterator[tuple[str, Estimate | float | None]]:
    cut, fit = model.best_cut, model.fit
    for ending, ranking, over_training in model.parts:
        yield f"auc{ending}", ranking.auc
        for background, auc in ranking.auc_against.items():
            yield f"auc_against_{background}{ending}", auc
        for signal_efficiency, rejection in ranking.rejections:
            yield f"rejection_at_{100 * signal_efficiency:.0f}{ending}", rejection
        if over_training is not None:
            yield f"auc_training{ending}", over_training.ranking.auc
            yield f"auc_training_excess{ending}", over_training.ranking.excess
            yield f"auc_training_p_value{ending}", over_training.ranking.p_value
            for name, found in tests_of(over_training):
                yield f"{name}{ending}", found and found.p_value
    if model.classes is not None:
        for place, each in enumerate(model.classes.one_against_rest):
            yield f"auc_of_{each.name}", each.auc
            yield f"right_class_of_{each.name}", model.classes.confusion[place][place]
    yield "calibration_error", model.calibration.expected_calibration_error
    yield "brier_score", model.calibration.brier_score
    if model.sculpting is not None:
        divergences = model.sculpting.divergences
        largest = max(divergences, key=lambda found: found.value.value)
        smallest = min(found.p_value for found in divergences)
        yield "sculpting", largest.value
        yield "sculpting_expected", largest.expected
        yield "sculpting_p_value", min(1.0, smallest * len(divergences))
    yield "best_cut", cut.threshold
    yield "significance", cut.significance
    yield "significance_optimism", cut.optimism
    yield "s_over_sqrt_b", cut.s_over_sqrt_b
    yield "signal", cut.signal
    yield "background", cut.background
    yield "fit_significance", fit.with_systematics.expected
    yield "fit_significance_statistics_only", fit.statistics_only.expected
    yield "fit_significance_statistics_only_error", fit.statistics_only.expected_error
    yield "fit_observed_significance", fit.with_systematics.observed
    yield "fit_observed_signal_strength", fit.with_systematics.observed_signal_strength


def tests_of(over_training: OverTraining) -> Iterator[tuple[str, HypothesisTest | None]]:
    """Yield the tests of two samples, by the name of their p-value."""
    for name in ("signal", "background"):
        of_class = getattr(over_training, name)
        yield f"ks_p_value_{name}", of_class.kolmogorov_smirnov
        yield f"chi2_p_value_{name}", of_class.chi2


def cautions_of(evaluation: ClassificationEvaluation) -> list[str]:
    """Return a sentence about each model that treats its training events as it does no others."""
    differences = {model.name: [*_differences(model, evaluation)] for model in evaluation.models}
    return [
        f"{name} treats events of its training differently: {'; '.join(of_model)}. All other "
        "numbers are of unseen events."
        for name, of_model in differences.items()
        if of_model
    ]


def is_excess(excess: Estimate) -> bool:
    """Tell whether events in training are ranked better than statistics explains."""
    return excess.value > ERRORS_APART * excess.error


def _differences(model: ModelResult, evaluation: ClassificationEvaluation) -> Iterator[str]:
    for ending, ranking, over_training in model.parts:
        if over_training is None:
            continue
        where = f" of events with {evaluation.window}" if ending else " of all events"
        in_training = over_training.ranking
        tests = [
            f"{name.replace('_p_value_', ' of ').replace('ks', 'KS')} "
            f"{PValue(test.p_value, ASYMPTOTIC).equation}"
            for name, test in tests_of(over_training)
            if test is not None and test.p_value < SMALL_P_VALUE
        ]
        if is_excess(in_training.excess):
            yield (
                f"AUC{where} {with_error(in_training.auc)} in training, "
                f"{with_error(ranking.auc)} unseen, {with_error(in_training.excess)} apart"
            )
        elif tests:
            yield f"scores{where} differ ({', '.join(tests)})"
