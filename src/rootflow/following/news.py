"""What is told of a job, to the program that tells it, and what that answers."""

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from rootflow.batch import ENDED, State
from rootflow.following.records import Followed

MOST_AT_ONCE = 50
SECONDS_TO_STAY = 20.0
SECONDS_AFTER_A_FALL = 15.0
# Of the run, as MLflow calls it.
STATUS = {
    State.IDLE: "SCHEDULED",
    State.HELD: "SCHEDULED",
    State.RUNNING: "RUNNING",
    State.DONE: "FINISHED",
    State.FAILED: "FAILED",
    State.REMOVED: "KILLED",
}


def status_of(state: State, *, given_up: bool) -> str:
    """Return a run's status: one whose job was removed because it was given up has failed."""
    return STATUS[State.FAILED if given_up and state is State.REMOVED else state]


@dataclass(frozen=True)
class News:
    """What a job does now: its run is to say so.

    Attributes
    ----------
    tags
        What is known of the job, by short names: host.
    metrics
        What a job that has ended used.
    given_up
        That is why it was removed: it has failed.
    """

    job: Followed
    state: State
    tags: dict[str, str]
    metrics: dict[str, float] = field(default_factory=dict)
    given_up: bool = False

    @property
    def ended(self) -> bool:
        """Whether these are the last news of the job."""
        return self.state in ENDED

    @property
    def status(self) -> str:
        """The run's status, as MLflow calls it."""
        return status_of(self.state, given_up=self.given_up)


@dataclass(frozen=True)
class Question:
    """Asks which of these runs, on one server, were deleted."""

    tracking_uri: str
    login: dict[str, str]
    experiments: list[str]
    runs: list[str]


class Outcome(StrEnum):
    """What became of news."""

    TOLD = "told"
    AWAY = "away"
    DELETED = "deleted"
    REFUSED = "refused"


@dataclass(frozen=True)
class Answer:
    """What became of the news of these runs, and why where they could not be told."""

    runs: list[str]
    outcome: Outcome
    why: str = ""


Message = News | Question
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)
_ANSWER = TypeAdapter(Answer)


def messages(lines: Iterator[str]) -> Iterator[Message]:
    """Yield what a teller is told by the lines that it reads."""
    for line in lines:
        yield _MESSAGE.validate_json(line)


def as_line(answer: Answer) -> str:
    """Return what a teller answers as the line that it writes."""
    return _ANSWER.dump_json(answer).decode() + "\n"


class Teller:
    """The program that tells, which is started when there is news and ends when there is none."""

    def __init__(self, words: Sequence[str]) -> None:
        self._command = [sys.executable, *words]
        self._process: Any = None
        self._answers: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        self._open: set[str] = set()
        self._last, self._not_before = 0.0, 0.0
        self._to_ask = False

    @property
    def is_new(self) -> bool:
        """Whether the program is there, and was not asked yet: asking costs little now."""
        return self._to_ask and self._process is not None

    @property
    def takes_more(self) -> bool:
        """Whether there is room for more: what waits outside is still true when it is told."""
        ending = self._process is not None and self._process.stdin.closed
        room = len(self._open) < MOST_AT_ONCE and not ending
        return room and time.monotonic() >= self._not_before

    def tell(self, message: Message) -> None:
        """Hand over what is to be told; what becomes of it is among the answers later."""
        if self._process is None:
            self._start()
        if isinstance(message, News):
            self._open.add(message.job.run_id)
        else:
            self._to_ask = False
        self._last = time.monotonic()
        with suppress(BrokenPipeError):  # it is gone, which is among the answers
            self._process.stdin.write(_MESSAGE.dump_json(message).decode() + "\n")
            self._process.stdin.flush()

    def answers(self) -> Iterator[Answer]:
        """Yield what has been answered since the last time; of a program that is gone: away."""
        while not self._answers.empty():
            answer = self._answers.get()
            if answer is None:
                yield from self._gone()
            else:
                self._open.difference_update(answer.runs)
                self._last = time.monotonic()
                yield answer
        idle = not self._open and time.monotonic() - self._last > SECONDS_TO_STAY
        if self._process is not None and idle:
            self.end()

    def end(self) -> None:
        """Let the program end when it has told what it knows."""
        if self._process is not None and not self._process.stdin.closed:
            self._process.stdin.close()

    def _start(self) -> None:
        self._to_ask = True
        self._process = subprocess.Popen(  # noqa: S603 - this package's own program
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._listen, args=[self._process.stdout], daemon=True).start()

    def _listen(self, lines: Iterator[str]) -> None:
        for line in lines:
            self._answers.put(_ANSWER.validate_json(line))
        self._answers.put(None)

    def _gone(self) -> Iterator[Answer]:
        status = self._process.wait()
        self._process = None
        if status or self._open:
            self._not_before = time.monotonic() + SECONDS_AFTER_A_FALL
        if self._open:
            yield Answer(sorted(self._open), Outcome.AWAY, f"the teller ended with status {status}")
        self._open.clear()
