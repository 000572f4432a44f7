"""Where a report's or an exported file's numbers come from."""

from rootflow import __version__
from rootflow.config import Config
from rootflow.steps.found import date_of
from rootflow.steps.train import Trained
from rootflow.tracking import Run
from rootflow.training import RECORD, Training


def provenance(config: Config, run: Run, trained: Trained) -> dict[str, str]:
    """Return the origin of what `run` makes from a training, by name."""
    trained_by = run.tags_of(trained.run_id) if trained.run_id else {}
    return {
        "analysis": config.analysis,
        "model": config.model.name,
        "architecture": config.model.architecture,
        "run_id": run.run_id,
        "dataset": trained.dataset.digest,
        "simulation": trained.dataset.simulation_digest,
        "training": trained.digest,
        "seed": str(config.seed),
        "training_run_id": trained.run_id or "unknown",
        "training_git_commit": trained_by.get("mlflow.source.git.commit", "unknown"),
        "training_git_tree": trained_by.get("rootflow.tree", "unknown"),
        "rootflow_version": __version__,
    }


def finished(training: Training) -> str:
    """Return when a training ended: ISO 8601, UTC."""
    return date_of(training.directory / RECORD)
