"""Pieces of ntuples, shared out among processes, each scored once and kept until written."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rootflow.checksum import read_sealed, seal_archive
from rootflow.errors import RootflowError
from rootflow.files import whole_file
from rootflow.formats import Table
from rootflow.inference.application import Application, Columns, Setting, load_application
from rootflow.places import Place
from rootflow.workers import workers

# Of all branches as they are in memory, or of entries: what comes first.
PIECE_BYTES = 32 * 2**20
ENTRIES_AT_MOST = 12_000
ENTRIES_AT_LEAST = 1_000
# A process needs a second or two to start, in which it could score about so many.
ENTRIES_WORTH_A_PROCESS = 5_000


class Piece(NamedTuple):
    """Entries of one ntuple from start to before stop, and where their new branches are kept."""

    path: Place
    start: int
    stop: int
    kept_in: Path

    def columns(self) -> Columns:
        """Return the new branches, once they are there."""
        again = f"remove {self.kept_in.parent} and apply again"
        with np.load(io.BytesIO(read_sealed(self.kept_in, again)), allow_pickle=False) as kept:
            return dict(kept)

    @property
    def is_done(self) -> bool:
        """Whether the new branches are there, whole."""
        return zipfile.is_zipfile(self.kept_in)


def ranges_of(tree: Table) -> list[tuple[int, int]]:
    """Return the entries of a tree in ranges from start to before stop that fit into memory."""
    fit = int(PIECE_BYTES / max(tree.bytes_per_entry(), 1))
    return tree.ranges(min(max(fit, ENTRIES_AT_LEAST), ENTRIES_AT_MOST))


class Scoring(ExitStack):
    """An application at work: the ntuple of the last piece stays open for the next."""

    def __init__(self, application: Application) -> None:
        super().__init__()
        self._application = application
        self._tree: Table | None = None

    def score(self, piece: Piece) -> None:
        """Keep the new branches of a piece where it says; raises as `Application.columns`."""
        if self._tree is None or self._tree.path != piece.path:
            self.close()
            self._tree = self.enter_context(self._application.open(piece.path))
        columns = self._application.columns(self._tree, piece.start, piece.stop)
        with whole_file(piece.kept_in) as partial:
            np.savez(partial, **columns)  # type: ignore[arg-type]
            seal_archive(partial)


_at_work: Scoring | None = None


class Shared:
    """Pieces, in the order of being asked for, of which this process does those not begun.

    The futures are of the pieces that other processes may do.
    """

    def __init__(
        self, pieces: Sequence[Piece], scoring: Scoring, futures: dict[Piece, Future[None]]
    ) -> None:
        self._scoring = scoring
        self._futures = futures
        self._free = set(pieces)
        self._in_order = iter(pieces)

    def finish(self, piece: Piece) -> None:
        """Return when a piece is done, or raise what the process did; meanwhile do others."""
        self._do_if_free(piece)
        future = self._futures.get(piece)
        while future is not None and not future.done():
            if not any(self._do_if_free(other) for other in self._in_order):
                wait([future])
        if future is not None:
            future.result()

    def _do_if_free(self, piece: Piece) -> bool:
        if piece not in self._free:
            return False
        self._free.remove(piece)
        future = self._futures.get(piece)
        if future is not None and not future.cancel():
            return False  # another process has begun it
        self._futures.pop(piece, None)
        self._scoring.score(piece)
        return True


@contextmanager
def shared_out(
    pieces: Sequence[Piece], scoring: Scoring, setting: Setting, processes: int
) -> Iterator[Shared]:
    """Yield the pieces, in the order of being asked for, at which other processes are at work.

    `scoring` is of this process, one of that many, and the others make their own of the setting.
    Pieces that are done stay as they are.
    """
    missing = [piece for piece in pieces if not piece.is_done]
    # The first is asked for at once: it is not for processes that have yet to start.
    others = missing[1:]
    entries = sum(piece.stop - piece.start for piece in others)
    more = min(processes - 1, len(others), entries // ENTRIES_WORTH_A_PROCESS)
    if more < 1:
        yield Shared(missing, scoring, {})
        return
    try:
        with workers(more, _prepare, setting) as executor:
            futures = {piece: executor.submit(_score, piece) for piece in others}
            yield Shared(missing, scoring, futures)
    except BrokenProcessPool:
        raise RootflowError(
            "apply: a worker died, maybe for want of memory; what is finished is kept: start "
            "again to go on, with fewer --workers if need be"
        ) from None


def _prepare(setting: Setting) -> None:
    global _at_work
    _at_work = Scoring(load_application(setting))


def _score(piece: Piece) -> None:
    assert _at_work is not None  # noqa: S101 - workers prepare first
    _at_work.score(piece)
