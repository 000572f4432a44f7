"""Where a report's or an exported file's numbers come from."""

from rootflow import __version__
from rootflow.config import Config
from rootflow.steps.train import Trained
from rootflow.tracking import Run, git_tags


def provenance(config: Config, run: Run, trained: Trained) -> dict[str, str]:
    """Return the origin of what `run` makes from a training, by name."""
    git = git_tags()
    return {
        "analysis": config.analysis,
        "model": config.model.name,
        "architecture": config.model.architecture,
        "run_id": run.run_id,
        "dataset": trained.dataset.digest,
        "training": trained.digest,
        "seed": str(config.seed),
        "git_commit": git.get("mlflow.source.git.commit", "none"),
        "git_tree": git["rootflow.tree"],
        "rootflow_version": __version__,
    }
