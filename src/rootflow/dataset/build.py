"""From ntuples to a dataset on disk."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rootflow import __version__
from rootflow.config.data import DataConfig
from rootflow.config.samples import LabelledDataConfig
from rootflow.dataset.contents import FileContent
from rootflow.dataset.copies import write_copy
from rootflow.dataset.dataset import Dataset, open_dataset
from rootflow.dataset.digest import code_of, file_contents, name_of, plans_of
from rootflow.dataset.finite import require_finite
from rootflow.dataset.identity import repeated_numbers
from rootflow.dataset.leftovers import held, remove_dead
from rootflow.dataset.manifest import DATASET_VERSION, Folds, Manifest, write_manifest
from rootflow.dataset.plans import Plan, shared_features
from rootflow.dataset.simulated import digest_of_simulation
from rootflow.dataset.writing import write_arrays
from rootflow.errors import InputError
from rootflow.files import whole_directory
from rootflow.ntuple.applied import refuse_beside_sources


def build(
    config: DataConfig | LabelledDataConfig, files: Mapping[str, Sequence[Path]], directory: Path
) -> Dataset:
    """Return the dataset that these files and settings make, writing it if it is not there.

    Parameters
    ----------
    files
        ROOT or CSV files of each sample, in this order. Labelled samples are those of the
        configuration; ttbar is one, of any name.
    directory
        Where datasets are kept; this one gets the name of its digest, and so do the copies
        beside it that the configuration asks for.

    Raises
    ------
    InputError
        Something is wrong with a file or with what it holds, an event is there twice where
        that is refused, no event of a sample is selected, or the dataset cannot be written.
        Nothing half-made is left.
    UsageError
        There is no such branch map, or the settings ask for what it does not name.
    """
    plans = plans_of(config, files)
    with _writing(directory):
        contents = file_contents(plans, memory=directory)
        target = directory / name_of(config, plans, contents)
        if not target.exists():
            refuse_beside_sources([path for plan in plans for path in plan.files])
            remove_dead(directory)
            with whole_directory(target) as partial, held(partial):
                _write(config, plans, contents, partial, target.name)
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
    config: DataConfig | LabelledDataConfig,
    plans: Sequence[Plan],
    contents: Sequence[Sequence[FileContent]],
    directory: Path,
    digest: str,
) -> None:
    features = shared_features(plans)
    samples, arrays = write_arrays(plans, contents, config.folds, directory)
    manifest = Manifest(
        dataset_version=DATASET_VERSION,
        rootflow_version=__version__,
        digest=digest,
        code=code_of(config),
        simulation_digest=digest_of_simulation(directory, arrays, features),
        events=sum(sample.events for sample in samples),
        max_jets=arrays["jets"].shape[1],
        features=features,
        arrays=arrays,
        samples=samples,
        event_numbers_in_several_files=repeated_numbers(directory),
        selection=config.selection,
        sum_of_weights=require_finite(
            sum(sample.sum_of_weights for sample in samples),
            "the sum of all weights",
        ),
        folds=Folds(count=config.folds.count, scheme=config.folds.scheme),
    )
    write_manifest(manifest, directory)
