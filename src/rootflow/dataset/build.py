"""From ntuples to a dataset on disk."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rootflow import __version__
from rootflow.config.data import DataConfig
from rootflow.dataset.copies import write_copy
from rootflow.dataset.dataset import Dataset, open_dataset
from rootflow.dataset.digest import FileContent, file_contents, name_of
from rootflow.dataset.identity import repeated_numbers
from rootflow.dataset.leftovers import held, remove_dead
from rootflow.dataset.manifest import DATASET_VERSION, MANIFEST, Cut, Folds, Manifest
from rootflow.dataset.weights import normalisation, scale
from rootflow.dataset.writing import Written, scale_array, write_arrays
from rootflow.errors import InputError
from rootflow.files import whole_directory
from rootflow.ntuple import BranchMap, features_of, load_branch_map


def build(config: DataConfig, files: Sequence[Path], directory: Path) -> Dataset:
    """Return the dataset that these files and settings make, writing it if it is not there.

    Parameters
    ----------
    files
        ROOT files, in this order.
    directory
        Where datasets are kept; this one gets the name of its digest, and so do the copies
        beside it that the configuration asks for.

    Raises
    ------
    InputError
        Something is wrong with a file or with what it holds, no event is selected, or the
        dataset cannot be written. Nothing half-made is left.
    UsageError
        There is no such branch map.
    """
    branch_map = load_branch_map(config.branch_map)
    with _writing(directory):
        contents = file_contents(files, memory=directory)
        target = directory / name_of(config, branch_map, contents)
        if not target.exists():
            remove_dead(directory)
            with whole_directory(target) as partial, held(partial):
                _write(config, branch_map, files, contents, partial, target.name)
    dataset = open_dataset(target)
    with _writing(directory):
        for file_format in config.copies:
            copy = target.with_name(f"{target.name}.{file_format}")
            if not copy.exists():
                write_copy(dataset, file_format, copy)
    return dataset


@contextmanager
def _writing(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{directory}: cannot write the dataset: {error.strerror}") from error


def _write(
    config: DataConfig,
    branch_map: BranchMap,
    files: Sequence[Path],
    contents: Sequence[FileContent],
    directory: Path,
    digest: str,
) -> None:
    written = write_arrays(config, branch_map, files, contents, directory)
    _require_events(written, branch_map)
    normalised = normalisation(
        config.weights, sum(file.sum_of_weights_read for file in written.files)
    )
    factor = 1.0 if normalised is None else scale(normalised)
    if normalised is not None:
        scale_array(directory, "weight", factor)
    selected = sum(file.sum_of_weights_selected for file in written.files)
    manifest = Manifest(
        dataset_version=DATASET_VERSION,
        rootflow_version=__version__,
        digest=digest,
        events=sum(file.events_selected for file in written.files),
        max_jets=config.max_jets,
        branch_map=config.branch_map,
        features=features_of(branch_map),
        arrays=written.arrays,
        files=written.files,
        event_numbers_in_several_files=repeated_numbers(directory),
        selection=config.selection,
        cutflow=tuple(
            Cut(name=name, events=events, sum_of_weights=weight)
            for name, (events, weight) in written.cutflow.items()
        ),
        normalisation=normalised,
        sum_of_weights=factor * selected,
        folds=Folds(count=config.folds.count, scheme=config.folds.scheme),
    )
    (directory / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n")


def _require_events(written: Written, branch_map: BranchMap) -> None:
    if not any(file.events_read for file in written.files):
        first, *others = written.files
        more = f", nor have the {len(others)} other files" if others else ""
        raise InputError(f"{first.path}: tree '{branch_map.tree}' has no events{more}")
    events, weight = list(written.cutflow.values())[-1]
    if not events:
        steps = "; ".join(f"{name}: {left}" for name, (left, _) in written.cutflow.items())
        raise InputError(f"no event is selected; events left after each cut: {steps}")
    if not weight > 0:
        raise InputError(
            f"the weights of the {events} selected events add up to {weight:g}: a sample needs "
            f"a positive sum"
        )
