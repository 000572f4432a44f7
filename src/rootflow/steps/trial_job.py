"""What a study's job does: one trial after another, each in a process forked from this one.

Python, TensorFlow and MLflow are imported once for all trials of a job, and each begins with the
memory of none before it.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import click

from rootflow.batch import job as on_node
from rootflow.batch.contract import read
from rootflow.tuning.trials import CONFIG, TrialFiles, files_of
from rootflow.tuning.waiting import WaitingTrials

# For which a job waits for the driver to ask for another trial.
SECONDS_TO_WAIT = 10.0
SECONDS_BETWEEN_LOOKS = 0.1
# The next trial may take so many times as long as the longest before it.
LEEWAY = 1.5
LINES_OF_A_FAILURE = 20


def run(directory: Path, seconds: float) -> None:
    """Measure the trial that a job was submitted for, then others of the study, the oldest first.

    Where another job has taken the trial meanwhile this one ends. Another trial is taken while the
    job's `seconds` suffice. One that fails ends the job as it would end its own, and a job that
    starts again finishes what it had begun and takes no more, so that whatever happens to a job
    happens to one trial.
    """
    study, own = WaitingTrials(directory.parents[1]), int(directory.name)
    for number in _trials(study, own, time.monotonic() + seconds):
        files = files_of(study.place, number)
        status = _fork_and_wait()
        if status is None:
            _measure(files, in_own_folder=number == own)
            return
        if status != 0:
            if number != own:
                said = read(files.directory / on_node.STDERR).splitlines()
                click.echo("\n".join(said[-LINES_OF_A_FAILURE:]), err=True)
            sys.exit(status)


def _trials(study: WaitingTrials, own: int, until: float) -> Iterator[int]:
    """Yield the trials that the job is to measure, each once the one before has ended well."""
    begun = [number for number, by in study.taken().items() if by == own]
    if not begun and not study.take(own, own):
        return
    get_ready(files_of(study.place, own).directory / CONFIG)
    if begun:
        yield from begun
        return
    number: int | None = own
    longest = 0.0
    while number is not None:
        started = time.monotonic()
        yield number
        longest = max(longest, time.monotonic() - started)
        if time.monotonic() + LEEWAY * longest > until:
            return
        number = _next(study, own, files_of(study.place, number))


def _next(study: WaitingTrials, own: int, last: TrialFiles) -> int | None:
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while study.is_open() and time.monotonic() < deadline:
        number = study.take_oldest(own)
        if number is not None and last.is_given_up():  # so the driver removes the job
            study.put(number)
            return None
        if number is not None:
            return number
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return None


def get_ready(path: Path) -> None:
    """Import what trials need and compute nothing: TensorFlow must not have when it is forked.

    `path` is the configuration of one of them.
    """
    from rootflow import evaluation  # noqa: F401
    from rootflow.config import BoostedTreesConfig, load
    from rootflow.sources import code_digest, dataset_code
    from rootflow.steps import trial  # noqa: F401
    from rootflow.steps.preprocess import reading_of
    from rootflow.tracking.run import look_up_installation

    config = load(path)
    trees = isinstance(config.model, BoostedTreesConfig)
    if trees:
        from rootflow.training import boosting  # noqa: F401
    else:
        from rootflow.training import loop  # noqa: F401
    # What is the same for all trials is remembered, too.
    dataset_code(reading_of(config).kind)
    code_digest(config.analysis, "trees" if trees else "network")
    look_up_installation()


def _fork_and_wait() -> int | None:
    """Return None in a new process, and in this one that one's exit status once it has ended.

    A SIGTERM, which reaches both, ends this one after the other.
    """
    stopped = False

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as signal calls it
        nonlocal stopped
        stopped = True

    before = signal.signal(signal.SIGTERM, note)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    child = os.fork()
    if not child:
        on_node.LIBC.prctl(on_node.PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGTERM, before)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    if not child:
        return None
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.signal(signal.SIGTERM, before)
    if stopped and ended == 0:
        return on_node.SIGNALLED + signal.SIGTERM
    return ended if ended >= 0 else on_node.SIGNALLED - ended


def _measure(files: TrialFiles, *, in_own_folder: bool) -> None:
    from rootflow.steps import trial

    if not in_own_folder:
        for stream, name in ((1, on_node.STDOUT), (2, on_node.STDERR)):
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            os.dup2(os.open(files.directory / name, flags, 0o644), stream)
    trial.run(files.directory)
