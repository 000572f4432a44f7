"""Ntuples to the dataset."""

from collections.abc import Sequence
from pathlib import Path

from rootflow.analysis import analysis_named
from rootflow.config import Config
from rootflow.config.data import DATA
from rootflow.dataset import Dataset, build, digest, open_dataset
from rootflow.dataset.digest import Contents
from rootflow.dataset.kept import KeptParts
from rootflow.dataset.manifest import MANIFEST, Sample
from rootflow.dataset.reading import Reading
from rootflow.files import whole_file
from rootflow.steps.result import Row, StepResult, say_found
from rootflow.steps.simulate import input_files
from rootflow.tracking import Run, start_run

CARRIED = ".carried.txt"
REPEATED = ("repeated_events_dropped", "repeated_events_kept")
SKIPPED, SKIPPED_FILES = "files_skipped", "skipped_files"
WITHOUT_TREE = "files_without_tree"
# What the end of a whole chain tells again.
TOLD = (*REPEATED, SKIPPED, WITHOUT_TREE)


def run(config: Config, parent: Run | None = None, kept: KeptParts | None = None) -> StepResult:
    """Make the dataset, or find it again, and log what is in it; `kept` is as in `build`."""
    with start_run(config, "preprocess", parent) as run:
        return run_in(run, config, kept)


def run_in(run: Run, config: Config, kept: KeptParts | None = None) -> StepResult:
    """Make the dataset in a run that is open."""
    files, reading = input_files(config, run), reading_of(config)
    dataset = build(config.data, files, directory_of_all(config), reading, kept)
    _say_found(dataset)
    log_dataset(config, run, dataset)
    run.log_file(dataset.path / "manifest.json")
    run.log_metrics({"events": len(dataset)})
    samples = dataset.manifest.samples
    repeated = {name: sum(getattr(each, name) for each in samples) for name in REPEATED}
    facts = {
        "dataset": str(dataset.path),
        "events": len(dataset),
        "event_numbers_in_several_files": dataset.manifest.event_numbers_in_several_files,
        **{name: count for name, count in (repeated | _left_out(samples)).items() if count},
    }
    run.set_tags({name: facts[name] for name in (SKIPPED, WITHOUT_TREE) if name in facts})
    return StepResult("preprocess", run.run_id, facts, _cutflows(samples) | skipped_files(samples))


def skipped_files(samples: Sequence[Sample]) -> dict[str, list[Row]]:
    """Return a table of the files that were left out, where there are some, and why."""
    rows: list[Row] = [
        {"sample": sample.name, "file": file.path, "reason": file.reason}
        for sample in samples
        for file in sample.skipped_files
    ]
    return {SKIPPED_FILES: rows} if rows else {}


def _left_out(samples: Sequence[Sample]) -> dict[str, int]:
    return {
        SKIPPED: sum(len(sample.skipped_files) for sample in samples),
        WITHOUT_TREE: sum(not file.has_tree for sample in samples for file in sample.files),
    }


def ensure(config: Config, parent: Run) -> Dataset:
    """Return the dataset as an input of `parent`, made by a run below it if it is not there."""
    dataset = made(config, parent)
    _say_found(dataset)
    log_dataset(config, parent, dataset)
    parent.log_source("preprocess", "rootflow.dataset", dataset.manifest.digest)
    return dataset


def made(config: Config, parent: Run, kept: KeptParts | None = None) -> Dataset:
    """Return the dataset, made by a run below `parent` if it is not there; nothing is told."""
    path = directory_of(config, parent)
    if not path.exists():
        run(config, parent, kept)
    return open_dataset(path)


def log_dataset(config: Config, run: Run, dataset: Dataset) -> None:
    """Log a dataset as the input of a run."""
    run.log_dataset(
        config.analysis, dataset.manifest.digest, dataset.path, {"events": len(dataset)}
    )


def _say_found(dataset: Dataset) -> None:
    say_found("preprocess", f"dataset {dataset.manifest.digest}", [dataset.path / MANIFEST])


def _cutflows(samples: tuple[Sample, ...]) -> dict[str, list[Row]]:
    """Return the cutflow of a single sample, or events after each cut with a column a sample."""
    if len(samples) == 1:
        return {"cutflow": [cut.model_dump() for cut in samples[0].cutflow]}
    cuts = dict.fromkeys(cut.name for sample in samples for cut in sample.cutflow)
    return {
        f"cutflow_({quantity.replace('_', ' ')})": [
            {
                "cut": name,
                **{
                    sample.name: getattr(cut, quantity)
                    for sample in samples
                    for cut in sample.cutflow
                    if cut.name == name
                },
            }
            for name in cuts
        ]
        for quantity in ("events", "sum_of_weights")
    }


def reading_of(config: Config) -> Reading:
    """Return what the analysis adds to reading, as the configuration has it."""
    reading: Reading = analysis_named(config.analysis).reading.of(config.data)
    return reading


def simulated_maps(config: Config) -> set[str]:
    """Return the branch maps of the simulated samples, where there are none that of all."""
    maps = {
        sample.branch_map or config.data.branch_map
        for sample in config.data.samples.values()
        if sample.label != DATA
    }
    return maps or {config.data.branch_map}


def carry(config: Config, dataset: Path) -> None:
    """Have every configuration with this output take a dataset made elsewhere as its own.

    Its ntuples need not be here: what is asked of them was answered there.
    """
    note = directory_of_all(config) / CARRIED
    with whole_file(note) as partial:
        partial.write_text(str(dataset.resolve()))


def directory_of(config: Config, parent: Run | None) -> Path:
    """Return where the dataset is, made or not; without a parent its ntuples must be there."""
    directory = directory_of_all(config)
    if (carried := directory / CARRIED).exists():
        return Path(carried.read_text())
    files = input_files(config, parent)
    return directory / digest(config.data, files, reading_of(config), memory=directory)


def is_known_to_be_made(config: Config) -> bool:
    """Return whether the dataset is there, so far as that is known without reading its files."""
    contents = Contents(directory_of_all(config))
    files = input_files(config, None)
    known = all(contents.has(path) for of_sample in files.values() for path in of_sample)
    return known and directory_of(config, None).exists()


def directory_of_all(config: Config) -> Path:
    """Return where all datasets are."""
    return config.output / "datasets"
