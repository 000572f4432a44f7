"""What a network that assigns jets has to show to become the champion."""

from pathlib import Path

from rootflow.config import FoldsConfig, ReconstructionConfig
from rootflow.dataset import Dataset
from rootflow.evaluation.contest import Contest
from rootflow.evaluation.reconstruction.contest import check_bins, contest
from rootflow.export.outputs import TOLERANCES
from rootflow.methods.exported import OnnxMethod
from rootflow.methods.model import refuse_other_task

PARITY = {f"parity_{kind}": TOLERANCES[kind] for kind in TOLERANCES if kind != "score"}


def check(config: ReconstructionConfig) -> None:
    """Refuse what the promotion asks for and nobody can answer.

    Raises
    ------
    UsageError
        There are no bins of a quantity.
    """
    check_bins(config.promotion.no_regression_in)


def open_model(name: str, path: Path) -> OnnxMethod:
    """Return the network in a file.

    Raises
    ------
    InputError
        The file is cut short, or none of a network of `rootflow export`.
    """
    model = OnnxMethod(path, name=name, other_code="warn")  # the dataset tells
    refuse_other_task(model, "reconstruction", path)
    return model


def fold_fault(config: ReconstructionConfig, model: OnnxMethod) -> str | None:
    """Return why a network may have seen the events of the held-out fold, None where it has not."""
    every = config.data.folds.in_turn()
    if _folds(model) in every:
        return None
    wanted = _in_words(every[0]) if len(every) == 1 else f"{every[0].count} ({every[0].scheme})"
    return (
        f"it has not seen fold {_in_words(_folds(model))}, but may have seen the events of fold "
        f"{wanted}, which data.folds holds out"
    )


def other_events(candidate: OnnxMethod, champion: OnnxMethod) -> str | None:
    """Return why there are no events that neither has seen, None where there are."""
    if _folds(candidate) == _folds(champion):
        return None
    return f"it may be applied to fold {_in_words(_folds(champion))}, the candidate to another"


def compete(
    config: ReconstructionConfig,
    dataset: Dataset,
    candidate: OnnxMethod,
    champion: OnnxMethod | None,
) -> Contest:
    """Compare both on the fold that they have not seen; errors as of `contest`."""
    held_out = dataset.simulated_in([candidate.held_out[0]])
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


def _folds(model: OnnxMethod) -> FoldsConfig:
    return FoldsConfig(**model.folding.model_dump(), held_out=model.held_out[0])


def _in_words(folds: FoldsConfig) -> str:
    return f"{folds.held_out} of {folds.count} ({folds.scheme})"
