"""A dataset on disk, read as it is needed."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.cores import usable_cores
from rootflow.dataset.arrays import SUFFIX, map_array
from rootflow.dataset.digest import Contents
from rootflow.dataset.event_reader import names_of
from rootflow.dataset.events import Events, Features, Signs
from rootflow.dataset.manifest import Manifest, read_manifest
from rootflow.errors import InputError
from rootflow.sources import dataset_code


class Dataset:
    """Selected events in canonical arrays in a directory, mapped into memory."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._arrays: dict[str, NDArray[Any]] = {
            name: map_array(path, name, array) for name, array in manifest.arrays.items()
        }

    def __len__(self) -> int:
        return self.manifest.events

    @property
    def is_of_other_code(self) -> bool:
        """Whether other code made it than that which makes such datasets here."""
        return self.manifest.code != dataset_code(self.manifest.read_by)

    @property
    def features(self) -> Features:
        """Names of the features of each collection, met and event, in their order."""
        return names_of(self.manifest.features)

    @property
    def signs(self) -> Signs:
        """With what features change their signs, see `rootflow.ntuple.Feature`."""
        return {
            collection: {each.name: each.changes_with for each in of_it if each.changes_with}
            for collection, of_it in self.manifest.features.items()
        }

    @property
    def fold(self) -> NDArray[np.uint8]:
        """(n,) the fold of each event, memory-mapped."""
        return self._arrays["fold"]

    def simulated_in(self, folds: Sequence[int]) -> NDArray[np.int64]:
        """Return the places of the simulated events in some folds."""
        return np.flatnonzero(np.isin(self.fold, folds) & self.events().simulated)

    def events(self, index: slice | NDArray[np.int64] | None = None) -> Events:
        """Return all events, or those at `index`.

        Slices are views of the files; an array of places is read at once.
        """
        events = Events(features=self.features, **self._arrays)
        return events if index is None else events.take(index)


def open_dataset(path: Path) -> Dataset:
    """Return the dataset in a directory.

    Raises
    ------
    InputError
        It is not a dataset, not as it was written, or of another version.
    """
    dataset = Dataset(path, read_manifest(path))
    known = Contents(path.parent)  # each is read for that once, and when it was changed
    expected = {
        path / (name + SUFFIX): array.sha256 for name, array in dataset.manifest.arrays.items()
    }
    with ThreadPoolExecutor(usable_cores()) as threads:
        found = threads.map(known.sha256_of, expected)
    for (file, sha256), now in zip(expected.items(), found, strict=True):
        if now != sha256:
            raise InputError(
                f"{file}: the array is not as it was written: remove {path} and run "
                "preprocess again"
            )
    with suppress(InputError):  # a folder that is read-only remembers nothing
        known.keep()
    return dataset
