"""What a reader must know before anything else: that a model has learnt events by heart."""

from rootflow.evaluation.classification.naming import parts_of, tests_of, window_of
from rootflow.evaluation.classification.results import ClassificationEvaluation, ModelResult
from rootflow.evaluation.page import with_error
from rootflow.evaluation.results import Estimate
from rootflow.p_value import ASYMPTOTIC, PValue

# Either happens by chance in about one of a thousand evaluations.
ERRORS_APART = 3.0
SMALL_P_VALUE = 0.001
TESTS = {
    "ks_p_value_signal": "KS of signal",
    "ks_p_value_background": "KS of background",
    "chi2_p_value_signal": "chi2 of signal",
    "chi2_p_value_background": "chi2 of background",
}


def cautions_of(evaluation: ClassificationEvaluation) -> list[str]:
    """Return a sentence about each model that treats its training events as it does no others."""
    found = []
    for model in evaluation.models:
        differences = list(_differences(model, evaluation))
        if differences:
            found.append(
                f"{model.name} treats events of its training differently: "
                f"{'; '.join(differences)}. All other numbers are of unseen events."
            )
    return found


def is_excess(excess: Estimate) -> bool:
    """Tell whether events in training are ranked better than statistics explains."""
    return excess.value > ERRORS_APART * excess.error


def _differences(model: ModelResult, evaluation: ClassificationEvaluation) -> list[str]:
    found = []
    for ending, ranking, over_training in parts_of(model):
        if over_training is None:
            continue
        where = f" of events with {window_of(evaluation)}" if ending else " of all events"
        in_training = over_training.ranking
        tests = [
            f"{TESTS[name]} {_equation(test.p_value)}"
            for name, test in tests_of(over_training)
            if test is not None and test.p_value < SMALL_P_VALUE
        ]
        if is_excess(in_training.excess):
            found.append(
                f"AUC{where} {with_error(in_training.auc)} in training, "
                f"{with_error(ranking.auc)} unseen, {with_error(in_training.excess)} apart"
            )
        elif tests:
            found.append(f"scores{where} differ ({', '.join(tests)})")
    return found


def _equation(p_value: float) -> str:
    return PValue(p_value, ASYMPTOTIC).equation
