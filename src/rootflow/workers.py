"""Processes that work for this one, and do not outlive it."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any


@contextmanager
def workers(
    count: int, prepare: Callable[..., None], *arguments: Any
) -> Iterator[ProcessPoolExecutor]:
    """Yield so many processes, each of which prepares itself with these arguments first.

    Where the block ends they finish what they were asked for; where it raises, or this process is
    no more, they end at once.
    """
    # Spawned, not forked: a fork of a process with threads (TensorFlow, MLflow) may hang.
    context = multiprocessing.get_context("spawn")
    theirs, ours = context.Pipe(duplex=False)
    executor = ProcessPoolExecutor(count, context, _start, (theirs, prepare, arguments))
    try:
        yield executor
        executor.shutdown()
    finally:
        ours.close()  # which ends those that are still at work
        executor.shutdown(cancel_futures=True)


def _start(parent: Connection, prepare: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    # Ctrl-C is for the first process, which ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    prepare(*arguments)


def _end_with(parent: Connection) -> None:
    """End when the first process has closed its end or is no more, killed even."""
    parent.poll(None)
    os._exit(1)
