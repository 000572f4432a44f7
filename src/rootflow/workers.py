"""Processes that work for this one, and do not outlive it."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from types import ModuleType
from typing import Any, Generic, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def shares_of(things: Sequence[Task], sizes: Sequence[float], size: float) -> list[list[Task]]:
    """Return things in their order in shares of about so much each, by what each thing has."""
    shares: list[list[Task]] = []
    room = 0.0
    for thing, of_thing in zip(things, sizes, strict=True):
        if room <= 0:
            shares.append([])
            room = size
        shares[-1].append(thing)
        room -= of_thing
    return shares


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
    executor = _Executor(count, context, _start, (theirs, prepare, arguments))
    try:
        with _without_main():
            executor.submit(os.getpid)  # which starts all of them
        yield executor
        executor.shutdown()
    finally:
        ours.close()  # which ends those that are still at work
        executor.shutdown(cancel_futures=True)


class _Executor(ProcessPoolExecutor):
    """One that tells each future of a process that died, though others of them are cancelled.

    The executor of Python 3.11 ends its thread at the first cancelled one (InvalidStateError), and
    who waits for those after it waits for ever.
    """

    def submit(
        self, do: Callable[..., Result], /, *arguments: Any, **options: Any
    ) -> Future[Result]:
        future = super().submit(do, *arguments, **options)
        tell = future.set_exception

        def tell_unless_cancelled(error: BaseException | None) -> None:
            if not future.cancelled():
                tell(error)

        future.set_exception = tell_unless_cancelled  # type: ignore[assignment,method-assign]
        return future


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the script that is run: processes would run it again, and start others in their turn."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


class Shared(Generic[Task, Result]):
    """Tasks in the order of being asked for, of which this process does those not begun.

    So many (`ahead`) of the tasks after the one that is asked for may be done or at work; the
    other processes do each as `do(task)`, and this one as `work(task)`.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        work: Callable[[Task], Result],
        executor: ProcessPoolExecutor,
        do: Callable[[Task], Result],
        ahead: int,
    ) -> None:
        self._work, self._ahead = work, ahead
        self._executor, self._do = executor, do
        # The first is asked for at once: it is not for processes that have yet to start.
        self._waiting = deque(tasks[1:])
        self._futures: dict[Task, Future[Result]] = {}

    def result(self, task: Task) -> Result | None:
        """Return what another process has done, or raise what it did; meanwhile do others.

        None: nobody has begun this task, and nobody will.
        """
        found = self._futures.pop(task, None)
        while self._waiting and len(self._futures) < self._ahead:
            following = self._waiting.popleft()
            self._futures[following] = self._executor.submit(self._do, following)
        if found is None or found.cancel():
            return None
        while not found.done():
            free = next((each for each, future in self._futures.items() if future.cancel()), None)
            if free is None:
                wait([found])
            else:
                self._futures[free] = _done(partial(self._work, free))
        return found.result()


def _done(work: Callable[[], Result]) -> Future[Result]:
    """Return the result of work, or what it raised, to be had when it is asked for."""
    future: Future[Result] = Future()
    try:
        future.set_result(work())
    except Exception as error:
        future.set_exception(error)
    return future


def _start(parent: Connection, prepare: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    # Ctrl-C is for the first process, which ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    prepare(*arguments)


def _end_with(parent: Connection) -> None:
    """End when the first process has closed its end or is no more, killed even."""
    parent.poll(None)
    os._exit(1)
