"""What a network that assigns jets has to show to become the champion."""

from pathlib import Path

import numpy as np

from rootflow.config import FoldsConfig, ReconstructionConfig
from rootflow.dataset import Dataset
from rootflow.evaluation.contest import Contest
from rootflow.evaluation.reconstruction.contest import check_bins, contest
from rootflow.export.parity import MOMENTUM_TOLERANCE, PROBABILITY_TOLERANCE
from rootflow.reconstruction.onnx import OnnxReconstructor

PARITY = {"parity_probability": PROBABILITY_TOLERANCE, "parity_momentum": MOMENTUM_TOLERANCE}


def check(config: ReconstructionConfig) -> None:
    """Refuse what the promotion asks for and nobody can answer.

    Raises
    ------
    UsageError
        There are no bins of a quantity.
    """
    check_bins(config.promotion.no_regression_in)


def open_model(name: str, path: Path) -> OnnxReconstructor:
    """Return the network in a file.

    Raises
    ------
    InputError
        The file is cut short, or none of a network of `rootflow export`.
    """
    return OnnxReconstructor(name, path, other_code="warn")  # the dataset tells


def fold_fault(config: ReconstructionConfig, model: OnnxReconstructor) -> str | None:
    """Return why a network may have seen the events of the held-out fold, None where it has not."""
    every = config.data.folds.in_turn()
    if model.folds in every:
        return None
    wanted = _in_words(every[0]) if len(every) == 1 else f"{every[0].count} ({every[0].scheme})"
    return (
        f"it has not seen fold {_in_words(model.folds)}, but may have seen the events of fold "
        f"{wanted}, which data.folds holds out"
    )


def other_events(candidate: OnnxReconstructor, champion: OnnxReconstructor) -> str | None:
    """Return why there are no events that neither has seen, None where there are."""
    if candidate.folds == champion.folds:
        return None
    return f"it may be applied to fold {_in_words(champion.folds)}, the candidate to another"


def compete(
    config: ReconstructionConfig,
    dataset: Dataset,
    candidate: OnnxReconstructor,
    champion: OnnxReconstructor | None,
) -> Contest:
    """Compare both on the fold that they have not seen; errors as of `contest`."""
    held_out = np.flatnonzero(dataset.fold == candidate.folds.held_out)
    return contest(
        dataset.events(held_out),
        candidate,
        champion,
        metric=config.promotion.metric,
        least_gain=config.promotion.least_gain,
        edges=config.promotion.no_regression_in,
        btag_min=config.evaluation.btag_min,
        replicas=config.evaluation.replicas,
        seed=config.seed,
    )


def _in_words(folds: FoldsConfig) -> str:
    return f"{folds.held_out} of {folds.count} ({folds.scheme})"
