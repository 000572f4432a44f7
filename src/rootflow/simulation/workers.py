"""Worker processes that are handed one chunk after another."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from rootflow.errors import RootflowError
from rootflow.simulation.plan import SimulationPlan

STDOUT = 1


def make_chunks(plan: SimulationPlan, chunks: Sequence[int]) -> Iterator[int]:
    """Make the chunks and write them where the plan says, yielding each when it is there.

    What a worker raises, or that one died, stops the others.
    """
    # Spawned, not forked: a fork of a process with threads (TensorFlow, MLflow) may hang.
    context = multiprocessing.get_context("spawn")
    waiting = iter(chunks)
    workers: dict[Connection, BaseProcess] = {}
    try:
        for _ in range(min(plan.config.workers, len(chunks))):
            ours, theirs = context.Pipe()
            worker: BaseProcess = context.Process(target=_work, args=(theirs, plan), daemon=True)
            worker.start()
            theirs.close()
            workers[ours] = worker
            ours.send(next(waiting))
        while workers:
            ready = wait(list(workers))
            for connection in [each for each in workers if each in ready]:
                with _death_explained(workers[connection]):
                    made = _receive(connection)
                    following = next(waiting, None)
                    connection.send(following)
                if following is None:
                    workers.pop(connection).join()
                yield made
    finally:
        for worker in workers.values():
            worker.terminate()
            worker.join()


@contextmanager
def _death_explained(worker: BaseProcess) -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError):
        worker.join()
        raise RootflowError(
            f"a simulation worker died (exit status {worker.exitcode});"
            " finished chunks are kept, start it again to go on"
        ) from None


def _receive(connection: Connection) -> int:
    answer: int | RootflowError = connection.recv()
    if isinstance(answer, RootflowError):
        raise answer
    return answer


def _work(connection: Connection, plan: SimulationPlan) -> None:
    # FastJet greets on standard output, which belongs to the result.
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), STDOUT)
    # Ctrl-C is for the main process, which stops its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from rootflow.simulation.chunk import make_chunk
    from rootflow.simulation.ntuple import write_ntuple

    while (chunk := connection.recv()) is not None:
        try:
            made = make_chunk(plan.config, plan.seed, chunk, plan.events_of(chunk))
            write_ntuple(made, plan.tree, plan.chunk_path(chunk))
        except RootflowError as error:
            connection.send(error)
            return
        connection.send(chunk)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
