"""What became of each trial, told to Optuna once and written to its MLflow run."""

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, TrialState

from rootflow.config import TuningConfig
from rootflow.errors import AwayError
from rootflow.tracking.study import StudyRun
from rootflow.tuning.trials import files_of
from rootflow.tuning.watch import REASON, RUN_ID, Running

# A pruned trial was ended from outside, as far as MLflow has a word for it.
STATUS = {
    TrialState.COMPLETE: "FINISHED",
    TrialState.PRUNED: "KILLED",
    TrialState.FAIL: "FAILED",
}
SECONDS_BETWEEN_TRIES = 5.0
SECONDS_TO_WAIT = 600.0


@dataclass
class TrialLedger:
    """The ended trials of a study; Optuna's storage is what counts.

    Runs are written after it, so what a killed driver did not come to is written by the next.
    """

    study: optuna.Study
    tune: TuningConfig
    place: Path
    runs: StudyRun

    def __post_init__(self) -> None:
        self.counts: Counter[TrialState] = Counter()
        self.best: FrozenTrial | None = None
        self.failed_in_a_row = 0
        self.last_reason = ""
        self._unwritten: list[FrozenTrial] = []
        open_trials = self.runs.open_trials()
        for trial in self.study.get_trials(deepcopy=False):
            if trial.state in STATUS:
                self._count(trial)
                if trial.number in open_trials:
                    self._unwritten.append(trial)

    @property
    def ended(self) -> int:
        """The number of ended trials."""
        return self.counts.total()

    def tell(self, running: Running) -> None:
        """Tell Optuna how a trial ended."""
        outcome = running.outcome
        if outcome is None:
            raise ValueError(f"trial {running.number} has not ended")
        if outcome.reason:
            self.last_reason = outcome.reason
            running.trial.set_user_attr(REASON, outcome.reason)
        failed = outcome.state is TrialState.FAIL
        self.failed_in_a_row = self.failed_in_a_row + 1 if failed else 0
        told = self.study.tell(running.trial, outcome.values, state=outcome.state)
        self._count(told)
        self._unwritten.append(told)

    def write(self) -> None:
        """Write what was told to the trials' runs, as far as the server answers."""
        while self._unwritten:
            try:
                self._write(self._unwritten[0])
            except AwayError:
                return
            del self._unwritten[0]

    def finish(self) -> None:
        """Write everything that is left, and wait some minutes for the server, or raise."""
        until = time.monotonic() + SECONDS_TO_WAIT
        while self._unwritten and time.monotonic() < until:
            self.write()
            if self._unwritten:
                time.sleep(SECONDS_BETWEEN_TRIES)
        if self._unwritten:
            self._write(self._unwritten[0])

    def describe_best(self) -> str:
        """Return a line about the best trial so far."""
        if len(self.tune.objectives) > 1:
            done = self.counts[TrialState.COMPLETE]
            return f"{len(self.study.best_trials)} on the Pareto front" if done else ""
        if self.best is None or self.best.value is None:
            return ""
        metric = self.tune.objectives[0].metric
        return f"best {metric} {self.best.value:.5g} (trial {self.best.number})"

    def _count(self, trial: FrozenTrial) -> None:
        self.counts[trial.state] += 1
        if trial.state is TrialState.COMPLETE and len(self.tune.objectives) == 1:
            sign = 1 if self.tune.objectives[0].direction == "minimize" else -1
            if self.best is None or sign * trial.values[0] < sign * self.best.values[0]:
                self.best = trial

    def _write(self, trial: FrozenTrial) -> None:
        tags = {"rootflow.trial.state": trial.state.name.lower()}
        if REASON in trial.user_attrs:
            tags["rootflow.error"] = trial.user_attrs[REASON][:5000]
        run_id = trial.user_attrs.get(RUN_ID)
        if run_id is None:  # its values do not go together: there was nothing to run
            run_id = self.runs.begin_trial(trial.number, trial.params)
        result = files_of(self.place, trial.number).result()
        metrics = {} if result is None else dict(result.metrics)
        names = [objective.metric for objective in self.tune.objectives]
        metrics |= zip(names, trial.values or [], strict=False)
        ended = trial.datetime_complete
        milliseconds = int(ended.timestamp() * 1000) if ended else 0
        self.runs.end_trial(run_id, STATUS[trial.state], tags, metrics, milliseconds)
