"""Ntuples to the dataset."""

from pathlib import Path

from rootflow.config import Config
from rootflow.dataset import Dataset, build, digest, open_dataset
from rootflow.steps.result import StepResult
from rootflow.steps.simulate import input_files
from rootflow.tracking import Run, start_run


def run(config: Config, parent: Run | None = None) -> StepResult:
    """Make the dataset, or find it again, and log what is in it."""
    with start_run(config, "preprocess", parent) as run:
        dataset = build(config.data, input_files(config, run), _directory(config))
        log_dataset(run, dataset)
        manifest = dataset.manifest
        run.log_file(dataset.path / "manifest.json")
        run.log_metrics({"events": len(dataset)})
        facts = {"dataset": str(dataset.path), "events": len(dataset)}
        return StepResult(
            "preprocess",
            run.run_id,
            facts,
            {"cutflow": [cut.model_dump() for cut in manifest.cutflow]},
        )


def ensure(config: Config, parent: Run) -> Dataset:
    """Return the dataset, made by a run below `parent` where it is not there yet."""
    directory = _directory(config)
    path = directory / digest(config.data, input_files(config, parent), memory=directory)
    if not path.exists():
        run(config, parent)
    return open_dataset(path)


def log_dataset(run: Run, dataset: Dataset) -> None:
    """Log the dataset as an input of `run`."""
    run.log_dataset("ttbar", dataset.digest, dataset.path, {"events": len(dataset)})


def _directory(config: Config) -> Path:
    return config.output / "datasets"
