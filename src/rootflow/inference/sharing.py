"""Pieces shared out among several processes, this one among them."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection

from rootflow.errors import RootflowError
from rootflow.inference.application import Setting, load_application
from rootflow.inference.pieces import Piece, Scoring

# A process needs a second or two to start, in which it could score about so many.
ENTRIES_WORTH_A_PROCESS = 5_000

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
    pieces: Sequence[Piece], scoring: Scoring, setting: Setting, workers: int
) -> Iterator[Shared]:
    """Yield the pieces, in the order of being asked for, at which other processes are at work.

    `scoring` is of this process, one of the workers, and the others make their own of the
    setting. Pieces that are done stay as they are.
    """
    missing = [piece for piece in pieces if not piece.is_done]
    # The first is asked for at once: it is not for processes that have yet to start.
    others = missing[1:]
    entries = sum(piece.stop - piece.start for piece in others)
    processes = min(workers - 1, len(others), entries // ENTRIES_WORTH_A_PROCESS)
    if processes < 1:
        yield Shared(missing, scoring, {})
        return
    # Spawned, not forked: a fork of a process with threads (MLflow) may hang.
    context = multiprocessing.get_context("spawn")
    theirs, ours = context.Pipe(duplex=False)
    executor = ProcessPoolExecutor(processes, context, _start, (setting, theirs))
    try:
        futures = {piece: executor.submit(_score, piece) for piece in others}
        yield Shared(missing, scoring, futures)
        executor.shutdown()
    except BrokenProcessPool:
        raise RootflowError(
            "apply: a worker died, maybe for want of memory; what is finished is kept: start "
            "again to go on, with fewer --workers if need be"
        ) from None
    finally:
        ours.close()  # which ends workers that are still at work
        executor.shutdown(cancel_futures=True)


def _start(setting: Setting, parent: Connection) -> None:
    global _at_work
    # Ctrl-C is for the first process, which ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _at_work = Scoring(load_application(setting))


def _end_with(parent: Connection) -> None:
    """End when the first process has closed its end or is no more, killed even."""
    parent.poll(None)
    os._exit(1)


def _score(piece: Piece) -> None:
    assert _at_work is not None  # noqa: S101 - the pool calls _start first
    _at_work.score(piece)
