"""Trials between question and answer: looking after their jobs, and saying how each ended."""

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import click
import optuna
from optuna.trial import TrialState

from rootflow.batch import ENDED, Executor, State, Status
from rootflow.batch.job import GO_ON_LATER
from rootflow.config import TuningConfig
from rootflow.config.tuning import ObjectiveConfig
from rootflow.errors import InputError, RootflowError, UsageError
from rootflow.training.record import BEST
from rootflow.tuning.study import Values
from rootflow.tuning.trials import Result, TrialFiles, epochs_told

JOB, PRUNED, REASON, RUN_ID = "job", "pruned", "reason", "run_id"
SECONDS_TO_WAIT = 1800.0


class TrialOutcome(NamedTuple):
    """How a trial ended, as Optuna is told, and why."""

    state: TrialState
    values: list[float] | None = None
    reason: str = ""


@dataclass
class Running:
    """A trial that Optuna has not been told the outcome of.

    It has no `run_id` until it is prepared, and no `job` while it has to be submitted. One
    `to_prune` is to lose its job. A job `done_since` ended well, but left no result yet.
    """

    trial: optuna.Trial
    files: TrialFiles
    values: Values
    run_id: str | None = None
    job: str | None = None
    submissions: int = 0
    losses: int = 0
    to_prune: bool = False
    state: State = State.IDLE
    outcome: TrialOutcome | None = None
    done_since: float | None = None
    reported: set[int] = field(default_factory=set)
    status: Status | None = None
    said: dict[str, str] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """The trial's number in its study."""
        return self.trial.number

    def remember(self, job: str | None) -> None:
        """Have this job, in the storage, too: the next driver looks for it there."""
        self.job, self.state, self.done_since = job, State.IDLE, None
        self.trial.set_user_attr(JOB, [job, self.submissions, self.losses])

    def where(self, executor: Executor) -> dict[str, str]:
        """Return what is known of the job, as its run says it."""
        if self.status is None or self.job is None:
            return {}
        known = {
            "job": executor.name_of(self.job),
            "folder": self.files.directory,  # with what it says in stdout.txt and stderr.txt
            "starts": self.status.starts,
            "host": self.status.host,
            "reason": self.status.reason,
        }
        return {
            f"htcondor.{name}": str(value) for name, value in known.items() if value is not None
        }


def outcome_of(result: Result, objectives: Sequence[ObjectiveConfig]) -> TrialOutcome:
    """Return what a trial's result means; without one of the objectives that is a UsageError."""
    if result.error is not None:
        return TrialOutcome(TrialState.FAIL, reason=result.error)
    metrics = [objective.metric for objective in objectives]
    for metric in metrics:
        if metric not in result.metrics:
            raise UsageError(
                f"tune.objectives: '{metric}' is not a metric of a trial, which has "
                f"{', '.join(sorted(result.metrics))}"
            )
    for metric in metrics:
        if not math.isfinite(value := result.metrics[metric]):
            return TrialOutcome(TrialState.FAIL, reason=f"{metric} is {value}")
    return TrialOutcome(TrialState.COMPLETE, [result.metrics[metric] for metric in metrics])


def epoch_metric(tune: TuningConfig) -> str:
    """Return the metric of each epoch that a pruner looks at."""
    return tune.pruner.metric or tune.objectives[0].metric.removeprefix(BEST)


def told_metric(tune: TuningConfig) -> str | None:
    """Return the metric that decides about trials while they run, None where none does."""
    return None if tune.pruner.name == "none" else epoch_metric(tune)


def _report_all(trial: Running, values: Mapping[int, float]) -> bool:
    """Tell Optuna the epochs that it has not been told; return whether there were any."""
    new = {epoch: value for epoch, value in values.items() if epoch not in trial.reported}
    for epoch, value in new.items():
        trial.trial.report(value, epoch)
    trial.reported |= new.keys()
    return bool(new)


class Patience:
    """Lets a block fail for half an hour, while a pool or a server is away.

    Only the first failure is said. What the user has done wrong is raised at once.
    """

    def __init__(self) -> None:
        self._since: float | None = None

    @contextmanager
    def trying(self) -> Iterator[None]:
        """Let the block fail, to be tried again later."""
        try:
            yield
            self._since = None
        except (InputError, UsageError):
            raise
        except RootflowError as error:
            if self._since is None:
                self._since = time.monotonic()
                click.echo(f"rootflow: {error}; trying again", err=True)
            if time.monotonic() - self._since >= SECONDS_TO_WAIT:
                raise


@dataclass
class Watch:
    """Gives trials their outcome: by a result that can be read, whatever became of the job."""

    tune: TuningConfig
    executor: Executor
    patience: Patience
    _said_untold: bool = False

    def look(self, trials: Iterable[Running]) -> None:
        """Look at each job, and tell Optuna the epochs so far; a trial may lose its job by it."""
        at_work = [trial for trial in trials if trial.job is not None and trial.outcome is None]
        statuses: dict[str, Status] = {}
        with self.patience.trying():
            self.executor.tend()
            found = self.executor.status([str(trial.job) for trial in at_work])
            failed = [job for job, s in found.items() if s.state is State.FAILED or s.given_up]
            # Machines are judged first: what Optuna is told is not taken back.
            statuses = found | self.executor.wait(failed, timeout=0.0) if failed else found
        told = self._told()
        for trial in at_work:
            status = trial.status = statuses.get(str(trial.job))
            ended = status is not None and status.state in ENDED
            readable = self.executor.shares_files or ended  # else files may be coming right now
            waits = status is not None and status.state is State.IDLE and status.starts == 0
            if waits and trial.submissions == 1:  # with many trials, looking takes long
                continue
            words = told.get(str(trial.job), [])
            news = self._report(trial) if readable else _report_all(trial, epochs_told(words))
            if readable and (result := trial.files.result()) is not None:
                self._say_untold(result)
                trial.outcome = outcome_of(result, self.tune.objectives)
            elif status is not None:
                trial.outcome = self._outcome(trial, status, news)

    def _told(self) -> dict[str, list[str]]:
        """Return what jobs have told whose files are not seen here, where that decides anything."""
        if not self.executor.shares_files and told_metric(self.tune) is not None:
            with self.patience.trying():
                return self.executor.told()
        return {}

    def _say_untold(self, result: Result) -> None:
        if result.untold and not self._said_untold:
            self._said_untold = True
            line = f"rootflow: trials cannot be pruned while they run: {result.untold}"
            click.echo(line, err=True)

    def _report(self, trial: Running) -> bool:
        """Tell Optuna the epochs so far of the first fold; return whether there were new ones."""
        if len(self.tune.objectives) > 1:
            return False
        metric, values = epoch_metric(self.tune), dict[int, float]()
        first = None
        for epoch in trial.files.epochs():
            first = epoch.held_out if first is None else first
            if epoch.held_out != first:
                continue
            if metric not in epoch.metrics and self.tune.pruner.name == "none":
                break
            if metric not in epoch.metrics:
                raise UsageError(
                    f"tune.pruner.metric: '{metric}' is not a metric of each epoch, which has "
                    f"{', '.join(sorted(epoch.metrics))}"
                )
            values[epoch.epoch] = epoch.metrics[metric]
        return _report_all(trial, values)

    def _outcome(self, trial: Running, status: Status, news: bool) -> TrialOutcome | None:
        """Return how a trial without a result ended, None where it goes on."""
        trial.state = status.state
        if trial.to_prune or (news and trial.trial.should_prune()):
            return self._prune(trial)
        if status.state not in ENDED and not status.given_up:
            return None
        if status.state is State.DONE and self._may_appear(trial):
            return None
        if status.given_up:
            with self.patience.trying():
                self.executor.cancel([str(trial.job)], "given up")
            return TrialOutcome(TrialState.FAIL, reason=f"given up: {status.reason}")
        if status.state is State.FAILED and status.exit_code == GO_ON_LATER:
            # It had as many starts as the profile allows.
            return TrialOutcome(TrialState.FAIL, reason=status.reason)
        trial.losses += not status.machine_at_fault  # jobs avoid that one from now on
        reason = status.reason or "it left no result"
        if status.machine_at_fault or trial.losses <= self.tune.retries:
            click.echo(f"rootflow: trial {trial.number} again: {reason}", err=True)
            trial.job = None  # to be submitted again: it goes on from its checkpoint
            return None
        return TrialOutcome(TrialState.FAIL, reason=f"lost {trial.losses} times: {reason}")

    def _prune(self, trial: Running) -> TrialOutcome | None:
        """End a trial that does not promise much; its checkpoint stays."""
        if not trial.to_prune:
            trial.trial.set_user_attr(PRUNED, True)  # first: the next driver shall not retry it
            trial.to_prune = True
        trial.files.give_up()
        if (result := trial.files.result()) is not None:  # its job may be at another one by now
            return outcome_of(result, self.tune.objectives)
        with self.patience.trying():
            self.executor.cancel([str(trial.job)], "pruned")
            return TrialOutcome(TrialState.PRUNED)
        return None

    def _may_appear(self, trial: Running) -> bool:
        """Return whether the files of a finished job may still be on their way."""
        now = time.monotonic()
        trial.done_since = trial.done_since or now
        return now - trial.done_since < self.tune.quiet_seconds
