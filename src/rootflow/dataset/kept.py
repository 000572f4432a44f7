"""Parts of files that others have read: jobs, which leave them in a folder for who builds."""

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.checksum import read_sealed, seal_archive
from rootflow.config.block import digest_of
from rootflow.config.data import DataConfig
from rootflow.dataset.parts import File, Part, Read
from rootflow.dataset.reading import Reading
from rootflow.dataset.repeated import PartOfAll
from rootflow.files import whole_file
from rootflow.ntuple.reading import Expectation
from rootflow.places.access import name_and_status
from rootflow.progress import say
from rootflow.sources import dataset_code

SUFFIX = ".npz"
SAID = "chunks"
SELECTED, OF_ALL = "selected", "all"
# Of files, in one line.
NAMED = 10


class KeptParts:
    """A folder with parts of files, each named by all that decides what is in it."""

    def __init__(self, directory: Path, config: DataConfig, reading: Reading) -> None:
        self.directory = directory
        self._asked = [
            dataset_code(reading.kind),
            config.model_dump(mode="json"),
            reading.model_dump(mode="json"),
        ]
        self._files: dict[int, list[Any]] = {}

    @cached_property
    def _question(self) -> str:
        return digest_of(self._asked)

    def name(self, part: Part) -> str:
        """Return what the file with a part is called."""
        if part.file not in self._files:
            name, status = name_and_status(part.path)
            self._files[part.file] = [name, *status]
        file = self._files[part.file]
        return digest_of([self._question, part.sample, part.file, *file, *part.share]) + SUFFIX

    def has(self, part: Part) -> bool:
        """Return whether a part is there."""
        return (self.directory / self.name(part)).exists()

    def read(self, part: Part) -> Iterator[Read]:
        """Yield the chunks of a part; a damaged file is an InputError."""
        return read_chunks(self.directory / self.name(part))

    def tell_lacking(self, files: Sequence[File]) -> None:
        """Tell which files are not there whole."""
        lacking = [file.path.name for file in files if not all(map(self.has, file.parts()))]
        if lacking:
            say(
                f"preprocess: of {len(files)} files jobs have left {len(lacking)} unread, which "
                f"are read here: {', '.join(lacking[:NAMED])}"
            )


def write_chunks(chunks: Iterable[Read], path: Path) -> None:
    """Write the chunks of a part to a file."""
    arrays: dict[str, NDArray[Any]] = {}
    said = []
    for place, chunk in enumerate(chunks):
        for kind, of_kind in ((SELECTED, chunk.selected), (OF_ALL, chunk.all_events.arrays)):
            arrays |= {f"{place}/{kind}/{name}": array for name, array in of_kind.items()}
        said.append(
            {
                "cutflow": chunk.cutflow,
                "expectation": chunk.expectation,
                "has_weight": chunk.has_weight,
                "events": chunk.all_events.events,
                "there": chunk.all_events.there,
                "negative": chunk.all_events.negative,
                "large": chunk.all_events.large,
            }
        )
    with whole_file(path) as partial:
        text = np.frombuffer(json.dumps(said).encode(), np.uint8)
        np.savez(partial, **{SAID: text}, **arrays)  # type: ignore[arg-type]
        seal_archive(partial)


def read_chunks(path: Path) -> Iterator[Read]:
    """Yield the chunks that `write_chunks` wrote."""
    content = io.BytesIO(read_sealed(path, f"remove {path.parent} and begin again"))
    with np.load(content, allow_pickle=False) as arrays:
        for place, said in enumerate(json.loads(arrays[SAID].tobytes())):
            of_kind: dict[str, dict[str, NDArray[Any]]] = {SELECTED: {}, OF_ALL: {}}
            for key in arrays.files:
                number, _, rest = key.partition("/")
                if number == str(place):
                    kind, _, name = rest.partition("/")
                    of_kind[kind][name] = arrays[key]
            yield Read(
                {name: (events, weight) for name, (events, weight) in said["cutflow"].items()},
                Expectation(*said["expectation"]),
                said["has_weight"],
                of_kind[SELECTED],
                PartOfAll(
                    said["events"],
                    of_kind[OF_ALL],
                    tuple(said["there"]),
                    said["negative"],
                    said["large"],
                ),
            )
