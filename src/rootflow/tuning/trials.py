"""What driver and job tell each other, as files in the trial's directory."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import yaml
from pydantic import ConfigDict, Field

from rootflow.batch.chirp import Teller
from rootflow.batch.contract import read
from rootflow.config import Config, TuningConfig
from rootflow.config.block import Block
from rootflow.errors import InputError, UsageError
from rootflow.files import whole_file

TRIAL, CONFIG, PROGRESS, RESULT = "trial.json", "config.yaml", "progress.jsonl", "measured.json"
GIVEN_UP = "given-up"
OUTPUTS = "outputs"  # of a trial without shared files

Kind = TypeVar("Kind", bound=Block)


class Trial(Block):
    """What a job has to know of its trial: it keeps the runs of its steps below `run_id`.

    It holds out the folds `held_out` in turn, without any those of the configuration, and does
    the steps `then` after the training. Where the driver does not see its files, it tells that
    the metric `tells` of each epoch, if any.
    """

    study: str
    number: int
    run_id: str
    held_out: tuple[int, ...]
    then: tuple[str, ...]
    tells: str | None = None


class Epoch(NamedTuple):
    """Metrics of an epoch of the training with a fold held out."""

    held_out: int
    epoch: int
    metrics: dict[str, float]


class Result(Block):
    """How a trial's job ended: with metrics, or with an error of its own."""

    # A metric may not exist; the driver tells so of the trial.
    model_config = ConfigDict(allow_inf_nan=True)

    metrics: dict[str, float] = Field(default_factory=dict)
    error: str | None = None
    # Why it could not tell how it went while it ran.
    untold: str = ""


class TrialFiles(NamedTuple):
    """The files of one trial.

    The result is written whole and last: where it is, the trial is done, whatever became
    of its job.
    """

    directory: Path

    def write_trial(self, trial: Trial, config: Config) -> None:
        """Write what the job needs."""
        with whole_file(self.directory / CONFIG, private=True) as path:
            path.write_text(yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False))
        with whole_file(self.directory / TRIAL) as path:
            path.write_text(trial.model_dump_json(indent=1) + "\n")

    def read_trial(self) -> Trial:
        """Return what the driver wrote."""
        return _read(self.directory / TRIAL, Trial)

    def begin_progress(self) -> None:
        """Forget what an earlier attempt wrote: this one tells all epochs again."""
        (self.directory / PROGRESS).write_text("")

    def add_epoch(self, held_out: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """Say what an epoch gave, so that it can be read at once."""
        line = json.dumps({"held_out": held_out, "epoch": epoch, "metrics": dict(metrics)})
        with (self.directory / PROGRESS).open("a") as progress:
            progress.write(line + "\n")

    def epochs(self) -> Iterator[Epoch]:
        """Yield the epochs so far; a line that is still being written is left out."""
        text = read(self.directory / PROGRESS)
        for line in text[: text.rfind("\n") + 1].splitlines():
            yield Epoch(**json.loads(line))

    def give_up(self) -> None:
        """Say that the driver removes the trial's job."""
        (self.directory / GIVEN_UP).touch()

    def is_given_up(self) -> bool:
        """Return whether the driver removes the trial's job."""
        return (self.directory / GIVEN_UP).exists()

    def write_result(self, result: Result) -> None:
        """Say how the trial ended."""
        with whole_file(self.directory / RESULT) as path:
            # NaN is written as it is: JSON of pydantic would turn it into null.
            path.write_text(json.dumps(result.model_dump()) + "\n")

    def result(self) -> Result | None:
        """Return how the trial ended, None where it has not."""
        path = self.directory / RESULT
        return _read(path, Result) if path.exists() else None


class Reporter:
    """Reports each epoch: in the trial's files, and to a driver that does not see these."""

    def __init__(self, files: TrialFiles, trial: Trial) -> None:
        self._files = files
        self._metric = trial.tells
        self._first: int | None = None
        self._teller = Teller()
        files.begin_progress()

    @property
    def untold(self) -> str:
        """Why the driver was not told of some epochs."""
        return self._teller.why_not

    def report(self, held_out: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """Say what an epoch gave."""
        self._files.add_epoch(held_out, epoch, metrics)
        self._first = held_out if self._first is None else self._first
        if held_out == self._first and self._metric is not None and self._metric in metrics:
            self._teller.tell(f"{epoch}:{float(metrics[self._metric])!r}")


def epochs_told(words: Sequence[str]) -> dict[int, float]:
    """Return the metric of each epoch that a trial has told."""
    pairs = (word.partition(":") for word in words)
    return {int(epoch): float(value) for epoch, _, value in pairs}


def files_of(place: Path, number: int) -> TrialFiles:
    """Return the files of a trial of the study in `place`."""
    return TrialFiles(place / "trials" / f"{number:05d}")


def held_out_folds(config: Config, tune: TuningConfig) -> tuple[int, ...]:
    """Return the folds that a trial holds out in turn; none where it holds out all in any case."""
    first, *others = config.data.folds.in_turn()
    if others:
        if tune.folds > 1:
            raise UsageError("tune.folds: each trial holds out every fold in any case: write 1")
        return ()
    if tune.folds > first.count:
        raise UsageError(f"tune.folds: {tune.folds} is more than data.folds.count, {first.count}")
    return tuple((first.held_out + step) % first.count for step in range(tune.folds))


def _read(path: Path, kind: type[Kind]) -> Kind:
    try:
        return kind.model_validate(json.loads(path.read_text()))
    except (OSError, ValueError):  # what pydantic raises is one, too
        raise InputError(f"{path}: the trial's file is not there or damaged") from None
