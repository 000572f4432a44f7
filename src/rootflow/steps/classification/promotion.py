"""What a classifier has to show to become the champion."""

from pathlib import Path

from rootflow.config import ClassificationConfig
from rootflow.dataset import Dataset
from rootflow.evaluation.classification.contest import contest
from rootflow.evaluation.contest import Contest
from rootflow.export.score_parity import SCORE_TOLERANCE
from rootflow.scoring.onnx import OnnxScorer

PARITY = {"parity_score": SCORE_TOLERANCE}


def check(config: ClassificationConfig) -> None:
    """Nothing can be said before the dataset is there: bins are of its features."""


def open_model(name: str, path: Path) -> OnnxScorer:
    """Return the classifier in a file.

    Raises
    ------
    InputError
        The file is cut short, or none of a classifier of `rootflow export`.
    """
    return OnnxScorer(path, name=name, other_code="warn")  # the dataset tells


def fold_fault(config: ClassificationConfig, model: OnnxScorer) -> str | None:
    """Return why a model may have seen an event that it scores, None where it has not."""
    contract, folds = model.contract, config.data.folds
    if contract.held_out is not None:
        return f"it is of fold {contract.held_out} alone, and has seen all others"
    if contract.folds == folds:
        return None
    return (
        f"its models held out the {contract.folds.count} folds of the scheme "
        f"{contract.folds.scheme}, data.folds has {folds.count} of {folds.scheme}"
    )


def other_events(candidate: OnnxScorer, champion: OnnxScorer) -> str | None:
    """Return why there are no events that neither has seen, None where there are."""
    if candidate.contract.folds == champion.contract.folds:
        return None
    return "its folds are others than the candidate's"


def compete(
    config: ClassificationConfig,
    dataset: Dataset,
    candidate: OnnxScorer,
    champion: OnnxScorer | None,
) -> Contest:
    """Compare both, each event scored by the models that have not seen it; errors of `contest`."""
    return contest(
        dataset.events(),
        dataset.manifest.samples,
        candidate,
        champion,
        least_gain=config.promotion.least_gain,
        edges=config.promotion.no_regression_in,
        replicas=config.evaluation.replicas,
        seed=config.seed,
    )
