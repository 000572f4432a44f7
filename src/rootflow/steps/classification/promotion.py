"""What a classifier has to show to become the champion."""

from pathlib import Path

from rootflow.config import ClassificationConfig
from rootflow.dataset import Dataset
from rootflow.evaluation.classification.contest import contest
from rootflow.evaluation.contest import Contest
from rootflow.export.outputs import TOLERANCES
from rootflow.methods.exported import OnnxMethod
from rootflow.methods.model import refuse_other_task

PARITY = {f"parity_{kind}": TOLERANCES[kind] for kind in TOLERANCES if kind == "score"}


def check(config: ClassificationConfig) -> None:
    """Nothing can be said before the dataset is there: bins are of its features."""


def open_model(name: str, path: Path) -> OnnxMethod:
    """Return the classifier in a file.

    Raises
    ------
    InputError
        The file is cut short, or none of a classifier of `rootflow export`.
    """
    model = OnnxMethod(path, name=name, other_code="warn")  # the dataset tells
    refuse_other_task(model, "classification", path)
    return model


def fold_fault(config: ClassificationConfig, model: OnnxMethod) -> str | None:
    """Return why a model may have seen an event that it scores, None where it has not."""
    theirs, folds = model.folding, config.data.folds
    if theirs != folds.folding:
        return (
            f"its models held out the {theirs.count} folds of the scheme "
            f"{theirs.scheme}, data.folds has {folds.count} of {folds.scheme}"
        )
    if not set(_held_out(config)) <= set(model.held_out):
        return f"it is of fold {model.held_out[0]} alone, and has seen all others"
    return None


def other_events(candidate: OnnxMethod, champion: OnnxMethod) -> str | None:
    """Return why there are no events that neither has seen, None where there are."""
    if (candidate.folding, candidate.held_out) == (champion.folding, champion.held_out):
        return None
    return "its folds are others than the candidate's"


def compete(
    config: ClassificationConfig,
    dataset: Dataset,
    candidate: OnnxMethod,
    champion: OnnxMethod | None,
) -> Contest:
    """Compare both, each event scored by the models that have not seen it; errors of `contest`."""
    return contest(
        dataset.events(dataset.simulated_in(_held_out(config))),
        dataset.manifest.samples,
        candidate,
        champion,
        least_gain=config.promotion.least_gain,
        edges=config.promotion.no_regression_in,
        replicas=config.evaluation.replicas,
        seed=config.seed,
    )


def _held_out(config: ClassificationConfig) -> list[int]:
    return [folds.held_out for folds in config.data.folds.in_turn()]
