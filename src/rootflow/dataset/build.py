"""From ntuples to a dataset on disk."""

import contextlib
import fcntl
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rootflow import __version__
from rootflow.config.data import DataConfig
from rootflow.cores import usable_cores
from rootflow.dataset.arrays import SUFFIX
from rootflow.dataset.copies import SUFFIXES, write_copy
from rootflow.dataset.dataset import Dataset, open_dataset
from rootflow.dataset.digest import (
    Contents,
    FileContent,
    digest_of_simulation,
    file_contents,
    name_of,
)
from rootflow.dataset.kept import KeptParts
from rootflow.dataset.looks import looked_at
from rootflow.dataset.manifest import DATASET_VERSION, Array, Manifest, write_manifest
from rootflow.dataset.reading import Reading
from rootflow.dataset.repeated import repeated_numbers
from rootflow.dataset.samples import SamplePlan, classes_of, plans, shared_features
from rootflow.dataset.writing import require_finite, write_arrays
from rootflow.errors import InputError
from rootflow.files import PARTIAL, whole_directory
from rootflow.formats.faults import DamagedError
from rootflow.formats.lineage import refuse_beside_sources
from rootflow.places import Place
from rootflow.sources import dataset_code

LOCK = "building.lock"


def build(
    config: DataConfig,
    files: Mapping[str, Sequence[Place]],
    directory: Path,
    reading: Reading,
    kept: KeptParts | None = None,
) -> Dataset:
    """Return the dataset that these files and settings make, writing it if it is not there.

    Parameters
    ----------
    files
        Files of each sample of the configuration; where that has none, of one
        sample, of any name.
    directory
        Where datasets are kept; this one gets the name of its digest, and so do the copies
        beside it that the configuration asks for.
    kept
        What others have read of the files already; the rest is read here.

    Raises
    ------
    InputError
        Something is wrong with a file or with what it holds, an event is there twice where
        that is refused, no event of a sample is selected, or the dataset cannot be written.
        Nothing half-made is left.
    UsageError
        There is no such branch map, or the settings ask for what it does not name.
    """
    planned = looked_at(plans(config, files, reading), config.bad_files)
    processes = config.workers or usable_cores()
    with _writing(directory):
        contents = file_contents(planned, directory, processes)
        target = directory / name_of(config, planned, contents, reading)
        if not target.exists():
            refuse_beside_sources([path for plan in planned for path in plan.files])
            _remove_dead(directory)
            with (
                whole_directory(target) as partial,
                _held(partial),
                _skipping_no_half(config),
            ):
                arrays = _write(
                    config, planned, contents, partial, target.name, reading, kept, processes
                )
            _remember(target, arrays)
    dataset = _telling_skipped(open_dataset(target), planned)
    with _writing(directory):
        for file_format in config.copies:
            copy = target.with_name(target.name + SUFFIXES[file_format])
            if not copy.exists():
                write_copy(dataset, file_format, copy)
    return dataset


def _telling_skipped(dataset: Dataset, plans: Sequence[SamplePlan]) -> Dataset:
    """Return the dataset, whose manifest says which files were skipped now, if it was there."""
    samples = tuple(
        sample.model_copy(update={"skipped_files": plan.skipped})
        for sample, plan in zip(dataset.manifest.samples, plans, strict=True)
    )
    if samples == dataset.manifest.samples:
        return dataset
    write_manifest(dataset.manifest.model_copy(update={"samples": samples}), dataset.path)
    return open_dataset(dataset.path)


@contextmanager
def _skipping_no_half(config: DataConfig) -> Iterator[None]:
    """Say of a file whose damage shows while it is read why it is not skipped, if bad ones are."""
    try:
        yield
    except DamagedError as error:
        if config.bad_files != "skip":
            raise
        raise InputError(
            f"{error}: this shows only where its events are read, and some of them may be read "
            "already: leave it out of the files"
        ) from error


@contextmanager
def _writing(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{directory}: cannot write the dataset: {error.strerror}") from error


def _write(
    config: DataConfig,
    plans: Sequence[SamplePlan],
    contents: Sequence[Sequence[FileContent]],
    directory: Path,
    digest: str,
    reading: Reading,
    kept: KeptParts | None,
    processes: int,
) -> Mapping[str, Array]:
    features = shared_features(plans)
    samples, arrays = write_arrays(plans, contents, config, directory, kept, processes)
    manifest = Manifest(
        dataset_version=DATASET_VERSION,
        rootflow_version=__version__,
        digest=digest,
        code=dataset_code(reading.kind),
        simulation_digest=digest_of_simulation(directory, arrays, features),
        events=sum(sample.events for sample in samples),
        features=features,
        arrays=arrays,
        samples=samples,
        event_numbers_in_several_files=repeated_numbers(directory),
        classes=classes_of([plan.sample for plan in plans]),
        read_by=reading.kind,
        reading=reading.model_dump(mode="json"),
        sum_of_weights=require_finite(
            sum(sample.sum_of_weights for sample in samples),
            "the sum of all weights",
        ),
        folds=config.folds.folding,
    )
    write_manifest(manifest, directory)
    return arrays


def _remember(dataset: Path, arrays: Mapping[str, Array]) -> None:
    """Have the directory of a dataset remember what its arrays were written as."""
    known = Contents(dataset.parent)
    for name, array in arrays.items():
        known.wrote(dataset / (name + SUFFIX), array.sha256)
    known.keep()


@contextmanager
def _held(partial: Path) -> Iterator[None]:
    """Mark an unfinished directory as being written, for as long as this process lives.

    On a file system without locks there is no mark, and nobody removes what is left.
    """
    lock = partial / LOCK
    unlocked = partial / f"{LOCK}.new"
    with unlocked.open("w") as file:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
            unlocked.rename(lock)  # it appears only when it is locked
        yield
        lock.unlink(missing_ok=True)
        unlocked.unlink(missing_ok=True)


def _remove_dead(directory: Path) -> None:
    """Remove unfinished datasets that no living process writes."""
    for lock in directory.glob(f".*{PARTIAL}*/{LOCK}"):
        # No lock: being written. No file: finished meanwhile.
        with contextlib.suppress(OSError), lock.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if lock.exists():
                shutil.rmtree(lock.parent)
