"""The names of logged metrics, as docs/tracking.md has them."""

import re
from pathlib import Path

from mlflow import MlflowClient

from rootflow.evaluation.classification.evaluation import DEFINITIONS as OF_MODELS
from rootflow.evaluation.reconstruction.metrics import DEFINITIONS as OF_METHODS
from rootflow.evaluation.reconstruction.observables import OBSERVABLES

PAGE = Path(__file__).parents[1] / "docs" / "tracking.md"
ROW = re.compile(r"^\| (`.+?`) \| ([a-z, ]+) \| .+ \|$", re.MULTILINE)
EVERY, JOB, TRIAL = "every", "job", "trial"
ENDINGS = "(_error)?(_error_over_folds)?"
# What MLflow's names of metrics stand for.
WORDS = {
    "LOSS": "[a-z_]+",
    "CLASS": "(signal|background)",
    "METHOD": "[^/]+",
    "MODEL": "[^/]+",
    "NUMBER": r"\d+",
}


def _observables() -> str:
    return "(" + "|".join(map(re.escape, OBSERVABLES)) + ")"


def of_methods() -> list[str]:
    """Return a pattern of each metric of a method."""
    return [name.replace("OBSERVABLE", _observables()) for name in OF_METHODS]


def of_models() -> list[str]:
    """Return a pattern of each metric of a classifier."""
    names = []
    for name in OF_MODELS:
        pattern = name.replace("NAME", r"\w+?").replace("_70", r"_\d+")
        names.append(pattern.replace("_value_signal", "_value_(signal|background)"))
    return [f"{name}(_in_window)?" for name in [*names, "background"]]


METRICS = "|".join([*of_methods(), *of_models()])


def glossary() -> list[tuple[str, str, str]]:
    """Return pattern, step and name as it is written, of everything that may be logged."""
    found = []
    for names, steps in ROW.findall(PAGE.read_text()):
        for name in re.findall("`(.+?)`", names):
            if name.startswith("METRIC_error"):
                continue  # of `METRIC`, as every error
            pattern = name
            for word, meaning in WORDS.items():
                pattern = pattern.replace(word, meaning)
            if name != "best/METRIC":
                pattern = pattern.replace("METRIC", f"({METRICS}){ENDINGS}")
            pattern = pattern.replace("METRIC", ".+")
            found += [(f"{pattern}{ENDINGS}", step, name) for step in steps.split(", ")]
    return found


def assert_known(store: str) -> set[str]:
    """Check each metric of each run of a store: it has one meaning; return the names that are.

    Parameters
    ----------
    store
        URI of the tracking store.
    """
    client, entries, seen = MlflowClient(store), glossary(), set()
    experiments = [each.experiment_id for each in client.search_experiments()]
    for run in client.search_runs(experiments):
        tags = run.data.tags
        step = TRIAL if "rootflow.trial" in tags else tags.get("rootflow.step", JOB)
        for metric in run.data.metrics:
            meanings = {
                name
                for pattern, of_step, name in entries
                if of_step in (step, EVERY, JOB) and re.fullmatch(pattern, metric)
            }
            exact = meanings & {metric.removesuffix("_error").removesuffix("_error_over_folds")}
            assert len(exact or meanings) == 1, (step, metric, meanings)
            seen |= exact or meanings
    return seen
