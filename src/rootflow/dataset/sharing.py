"""Parts of files shared out among processes, each of which writes what it reads where it stays."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.sharedctypes import RawArray
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.arrays import ArrayWriters
from rootflow.dataset.parts import File, Part, PartReader, Read
from rootflow.errors import RootflowError
from rootflow.workers import Shared, workers

# A process needs a second or two to start, in which it could read about so many.
BYTES_WORTH_A_PROCESS = 200 * 2**20
# Of each process: what may be done or at work and is not yet written.
SHARES_AHEAD = 16
# Of arrays whose events have no place yet, in the memory of each process; what is more is in files.
HELD_BYTES = 256 * 2**20
LOOK_AGAIN_SECONDS = 0.001
UNKNOWN = -1

Reads = Callable[[Part], Iterator[Read]]


class Kept(NamedTuple):
    """What was read of a part, and what is wrong with the chunk after that.

    Each chunk has its arrays, or none, if they are in a file or written already.
    """

    chunks: list[tuple[Read, Path | None]]
    error: RootflowError | None


class Counts:
    """How many events each part has, and how many are selected, for all processes to see."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._places = {part: place for place, part in enumerate(parts)}
        self._shared = RawArray("q", [UNKNOWN] * 2 * len(parts))

    def tell(self, part: Part, chunks: Iterable[Read]) -> None:
        """Say of which chunks a part is made."""
        counts = [(chunk.all_events.events, chunk.events_selected) for chunk in chunks]
        self._of_parts()[self._places[part]] = np.sum(counts, axis=0, dtype=np.int64)

    def before(self, part: Part) -> tuple[int, int]:
        """Return how many there are before a part, as soon as all parts before it are read."""
        counts = self._of_parts()[: self._places[part]]
        while np.any(counts == UNKNOWN):
            time.sleep(LOOK_AGAIN_SECONDS)
        events, selected = counts.sum(axis=0).tolist()
        return events, selected

    def _of_parts(self) -> NDArray[np.int64]:
        return np.frombuffer(self._shared, dtype=np.int64).reshape(-1, 2)


class _Keeper:
    """Reads parts and keeps what was read until the events have their place.

    Beyond so many bytes in memory, arrays are kept in files of a directory.
    """

    def __init__(
        self, reader: PartReader, counts: Counts, directory: Path, bytes_at_most: int
    ) -> None:
        self._reader, self._counts, self._directory = reader, counts, directory
        self._bytes_at_most = bytes_at_most
        self._held = 0

    def keep(self, part: Part) -> Kept:
        """Read a part whose turn has not come."""
        chunks: list[tuple[Read, Path | None]] = []
        try:
            for place, chunk in enumerate(self._reader.read(part)):
                path = None
                if self._held + chunk.nbytes > self._bytes_at_most:
                    path = self._directory / f"{part.file}-{part.share.place}-{place}"
                    chunk = _put_away(chunk, path)
                self._held += chunk.nbytes
                chunks.append((chunk, path))
        except RootflowError as error:
            return Kept(chunks, error)
        self._counts.tell(part, [chunk for chunk, _ in chunks])
        return Kept(chunks, None)

    def read(self, part: Part) -> Iterator[Read]:
        """Yield the chunks of a part whose turn it is."""
        chunks = []
        for chunk in self._reader.read(part):
            yield chunk
            chunks.append(chunk.without_arrays())
        self._counts.tell(part, chunks)

    def taken(self, kept: Kept) -> Iterator[Read]:
        """Yield chunks that were kept, and raise what is wrong with the one after them."""
        for chunk, path in kept.chunks:
            self._held -= chunk.nbytes
            yield chunk if path is None else _taken(chunk, path)
        if kept.error is not None:
            raise kept.error


class _Writer:
    """Reads parts in a process other than the first, and writes their arrays."""

    def __init__(
        self,
        setting: tuple[Any, ...],
        counts: Counts,
        directory: Path,
        for_now: Path,
        bytes_at_most: int,
    ) -> None:
        self._keeper = _Keeper(PartReader(*setting), counts, for_now, bytes_at_most)
        self._counts = counts
        self._writers, self._everything = ArrayWriters(directory), ArrayWriters(for_now)

    def write(self, part: Part) -> Kept:
        """Read a part and write its arrays, unless something is wrong with it."""
        kept = self._keeper.keep(part)
        if kept.error is not None:
            return kept._replace(
                chunks=[(chunk.without_arrays(), None) for chunk, _ in kept.chunks]
            )
        events, selected = self._counts.before(part)
        written: list[tuple[Read, Path | None]] = []
        for chunk in self._keeper.taken(kept):
            events += chunk.all_events.events
            selected += chunk.events_selected
            self._everything.write(chunk.all_events.arrays, events)
            self._writers.write(chunk.selected, selected)
            written.append((chunk.without_arrays(), None))
        return Kept(written, None)


@contextmanager
def shared_out(
    files: Sequence[File],
    processes: int,
    setting: tuple[Any, ...],
    directory: Path,
    for_now: Path,
) -> Iterator[tuple[PartReader, Reads]]:
    """Yield a reader, and what reads each part of the files once, asked for in their order.

    There are so many processes at most, each with a `PartReader` of its own, made of the setting.
    The chunks that the others read come without arrays, which are in the directories of the
    selected events and of all events then, each at its place.
    """
    parts = [part for file in files for part in file.parts()]
    worth = sum(file.bytes for file in files) // BYTES_WORTH_A_PROCESS
    more = min(processes - 1, len(parts) - 1, worth)
    with PartReader(*setting) as reader:
        if more < 1:
            yield reader, reader.read
            return
        counts = Counts(parts)
        keeper = _Keeper(reader, counts, for_now, HELD_BYTES)
        arguments = (setting, counts, directory, for_now, HELD_BYTES)
        try:
            with workers(more, _prepare, *arguments) as executor:
                shared = Shared(parts, keeper.keep, executor, _write, SHARES_AHEAD * (more + 1))

                def read(part: Part) -> Iterator[Read]:
                    kept = shared.result(part)
                    return keeper.read(part) if kept is None else keeper.taken(kept)

                yield reader, read
        except BrokenProcessPool:
            raise RootflowError(
                "preprocess: a worker died, maybe for want of memory: start again, with fewer "
                "data.workers if need be"
            ) from None


_at_work: _Writer | None = None


def _prepare(*arguments: Any) -> None:
    global _at_work
    _at_work = _Writer(*arguments)


def _write(part: Part) -> Kept:
    assert _at_work is not None  # noqa: S101 - workers prepare first
    return _at_work.write(part)


def _put_away(chunk: Read, path: Path) -> Read:
    """Return a chunk without arrays, which are in a file."""
    with path.open("wb") as file:
        for array in chunk.arrays():
            np.save(file, array, allow_pickle=False)
    return chunk.without_arrays()


def _taken(chunk: Read, path: Path) -> Read:
    """Return a chunk with its arrays, which were put away."""
    with path.open("rb") as file:
        whole = chunk.with_arrays(lambda _: np.load(file, allow_pickle=False))
    path.unlink()
    return whole
