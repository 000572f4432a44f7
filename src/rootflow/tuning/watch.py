"""Looking after the jobs of trials, and saying how each trial ended."""

import time
from collections.abc import Iterable

from optuna.trial import TrialState

from rootflow.batch.contract import ENDED, Executor, State, Status
from rootflow.batch.job import GO_ON_LATER
from rootflow.config import TuningConfig
from rootflow.errors import UsageError
from rootflow.training import BEST
from rootflow.tuning.patience import Patience
from rootflow.tuning.running import PRUNED, Running, TrialOutcome, outcome_of


class Watch:
    """Gives trials whose jobs are at work their outcome, as soon as there is one.

    A result that can be read is what counts, whatever became of the job.
    """

    def __init__(self, tune: TuningConfig, executor: Executor, patience: Patience) -> None:
        self.tune = tune
        self.executor = executor
        self.patience = patience

    def look(self, trials: Iterable[Running]) -> None:
        """Look at the job of each trial, and tell Optuna the epochs so far.

        A trial whose job is lost has none afterwards: it is to be submitted again.

        Raises
        ------
        UsageError
            A metric that is asked for is not there.
        """
        at_work = [trial for trial in trials if trial.job is not None and trial.outcome is None]
        statuses: dict[str, Status] = {}
        with self.patience:
            self.executor.tend()
            statuses = self._judged(self.executor.status([str(trial.job) for trial in at_work]))
        for trial in at_work:
            status = statuses.get(str(trial.job))
            if status is not None and _has_not_started(trial, status):
                continue
            news = self._report(trial)
            trial.outcome = self.result(trial)
            if trial.outcome is None and status is not None:
                trial.outcome = self._outcome(trial, status, news)

    def _judged(self, statuses: dict[str, Status]) -> dict[str, Status]:
        """Return the statuses, those of failed jobs as they are once machines are judged by them.

        It has to be now: what is told to Optuna is not taken back.
        """
        failed = [job for job, each in statuses.items() if _has_failed(each)]
        return statuses | self.executor.wait(failed, timeout=0.0) if failed else statuses

    def result(self, trial: Running) -> TrialOutcome | None:
        """Return the outcome that the trial's result means, None where there is no result."""
        result = trial.files.result()
        return None if result is None else outcome_of(result, self.tune.objectives)

    def _report(self, trial: Running) -> bool:
        """Tell Optuna the epochs so far of the first fold; return whether there were new ones."""
        if len(self.tune.objectives) > 1:
            return False
        before = len(trial.reported)
        metric = self.tune.pruner.metric or self.tune.objectives[0].metric.removeprefix(BEST)
        first = None
        for epoch in trial.files.epochs():
            first = epoch.held_out if first is None else first
            if epoch.held_out != first or epoch.epoch in trial.reported:
                continue
            if metric not in epoch.metrics:
                self._refuse_blind_pruner(metric, epoch.metrics)
                break
            trial.trial.report(epoch.metrics[metric], epoch.epoch)
            trial.reported.add(epoch.epoch)
        return len(trial.reported) > before

    def _refuse_blind_pruner(self, metric: str, metrics: dict[str, float]) -> None:
        if self.tune.pruner.name != "none":
            raise UsageError(
                f"tune.pruner.metric: '{metric}' is not a metric of each epoch, which has "
                f"{', '.join(sorted(metrics))}"
            )

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
            with self.patience:
                self.executor.cancel([str(trial.job)], "given up")
            return TrialOutcome(TrialState.FAIL, reason=f"given up: {status.reason}")
        if status.state is State.FAILED and status.exit_code == GO_ON_LATER:
            # It had as many starts as the profile allows.
            return TrialOutcome(TrialState.FAIL, reason=status.reason)
        trial.losses += not status.machine_at_fault  # jobs avoid that one from now on
        if status.machine_at_fault or trial.losses <= self.tune.retries:
            trial.job = None  # to be submitted again: it goes on from its checkpoint
            return None
        reason = f"lost {trial.losses} times: {status.reason or 'it left no result'}"
        return TrialOutcome(TrialState.FAIL, reason=reason)

    def _prune(self, trial: Running) -> TrialOutcome | None:
        """End a trial that does not promise much; its checkpoint stays."""
        if not trial.to_prune:
            trial.trial.set_user_attr(PRUNED, True)  # first: the next driver shall not retry it
            trial.to_prune = True
        with self.patience:
            self.executor.cancel([str(trial.job)], "pruned")
            return TrialOutcome(TrialState.PRUNED)
        return None

    def _may_appear(self, trial: Running) -> bool:
        """Return whether the files of a finished job may still be on their way."""
        now = time.monotonic()
        trial.done_since = trial.done_since or now
        return now - trial.done_since < self.tune.quiet_seconds


def _has_not_started(trial: Running, status: Status) -> bool:
    """Return whether there can be nothing to read yet: with many trials, looking takes long."""
    return trial.submissions == 1 and status.state is State.IDLE and status.starts == 0


def _has_failed(status: Status) -> bool:
    return status.state is State.FAILED or status.given_up
