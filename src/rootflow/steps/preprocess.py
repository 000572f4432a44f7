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
        _log_dataset(run, dataset)
        run.log_file(dataset.path / "manifest.json")
        run.log_metrics({"events": len(dataset)})
        facts = {
            "dataset": str(dataset.path),
            "events": len(dataset),
            "event_numbers_in_several_files": dataset.manifest.event_numbers_in_several_files,
        }
        cutflow = [cut.model_dump() for cut in dataset.manifest.cutflow]
        return StepResult("preprocess", run.run_id, facts, {"cutflow": cutflow})


def ensure(config: Config, parent: Run) -> Dataset:
    """Return the dataset as an input of `parent`, made by a run below it if it is not there."""
    directory = _directory(config)
    path = directory / digest(config.data, input_files(config, parent), memory=directory)
    if not path.exists():
        run(config, parent)
    dataset = open_dataset(path)
    _log_dataset(parent, dataset)
    parent.log_source("preprocess", "rootflow.dataset", dataset.digest)
    return dataset


def _log_dataset(run: Run, dataset: Dataset) -> None:
    run.log_dataset("ttbar", dataset.digest, dataset.path, {"events": len(dataset)})


def _directory(config: Config) -> Path:
    return config.output / "datasets"
