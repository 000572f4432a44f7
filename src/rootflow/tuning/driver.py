"""Ask, submit, watch, tell: the study's trials as jobs, none lost and none told twice."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import optuna
from optuna.trial import TrialState
from rich.progress import TextColumn, TimeElapsedColumn

from rootflow.batch import ENDED, Executor, Job
from rootflow.config import Config, TuningConfig
from rootflow.errors import RootflowError, UsageError
from rootflow.progress import on_terminal
from rootflow.tracking.study import StudyRun
from rootflow.tuning.outcomes import TrialLedger
from rootflow.tuning.start import take_over
from rootflow.tuning.study import make_sampler, suggest, with_values
from rootflow.tuning.trials import Trial, TrialFiles, files_of, held_out_folds
from rootflow.tuning.waiting import WaitingTrials
from rootflow.tuning.watch import (
    JOB,
    PRUNED,
    RUN_ID,
    Patience,
    Running,
    TrialOutcome,
    Watch,
    told_metric,
)

MakeJob = Callable[[TrialFiles, str], Job]
CALLED = {TrialState.COMPLETE: "done", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed"}
SHOWN = ("running", "idle", "held", *CALLED.values())
ALWAYS_SHOWN = ("running", "done")
ASKED_AT_ONCE = 100  # trials, before these are submitted
SECONDS_BETWEEN_LINES = 10.0


@dataclass
class Driver:
    """Takes a study, as `open_study` gives it, from wherever it is to its end.

    What it knows is in Optuna's storage, in the trials' directories or with the executor, so it
    can be killed at any moment and started again. The caller keeps other drivers away.
    """

    config: Config
    tune: TuningConfig
    study: optuna.Study
    place: Path
    executor: Executor
    make_job: MakeJob
    runs: StudyRun

    def __post_init__(self) -> None:
        taken_over = take_over(self.config, self.tune, self.place, self.study)
        self.total = self.tune.number_of_trials() + taken_over
        self.held_out = held_out_folds(self.config, self.tune)
        self.ledger = TrialLedger(self.study, self.tune, self.place, self.runs, self.config.output)
        self.pool, self.server = Patience(), Patience()
        self.watch = Watch(self.tune, self.executor, self.pool)
        self.running: dict[int, Running] = {}
        self.waiting = WaitingTrials(self.place)
        self.submitted: dict[int, str] = {}  # the last job that was submitted for each trial
        self._recover()

    def run(self) -> None:
        """Run trials until as many as configured have ended, or too many failed in a row."""
        with _board(f"study {self.tune.name}", self.total) as show:
            while True:
                all_asked = self._ask()
                if all_asked:
                    self._tell_and_ask()
                self._prepare()
                self._submit()
                self.ledger.write()
                show(*self._progress())
                if not self.running:
                    break
                if all_asked:
                    time.sleep(self.tune.poll_seconds)
                self._note_taken()
                self.watch.look(self.running.values())
                self._say_where()
        self.waiting.close()
        self.ledger.finish()

    def jobs(self) -> list[str]:
        """Return the jobs that have not ended."""
        return list(dict.fromkeys(trial.job for trial in self._open() if trial.job))

    def remove_jobs(self, reason: str) -> None:
        """Remove the jobs of all running trials; the next driver submits them again."""
        for trial in self._open():
            self.waiting.forget(trial.number)
        self.executor.cancel(self.jobs(), reason)
        for trial in self._open():
            if trial.job:
                trial.remember(None)  # and not as a loss

    def _open(self) -> list[Running]:
        return [trial for trial in self.running.values() if trial.outcome is None]

    def _recover(self) -> None:
        known = {job.name: job_id for job_id, job in self.executor.known().items()}
        self.submitted = {int(name.split("-")[-2]): job for name, job in known.items()}
        for frozen in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self.study.sampler = make_sampler(self.tune, self.config.seed, frozen.number)
            # Optuna has no public way to a running trial of another process.
            trial = self._adopt(optuna.Trial(self.study, frozen._trial_id))
            remembered = frozen.user_attrs.get(JOB, (None, 0, 0))
            trial.job, trial.submissions, trial.losses = remembered
            trial.to_prune = PRUNED in frozen.user_attrs
            trial.reported = set(frozen.intermediate_values)
            unnoted = known.get(self._name_of_next_job(trial))
            if unnoted is not None:  # submitted, but the driver was killed right then
                trial.submissions += 1
                trial.remember(unnoted)

    def _tell_and_ask(self) -> None:
        while (trial := self._next_to_tell()) is not None and trial.outcome is not None:
            del self.running[trial.number]
            self.ledger.tell(trial, trial.outcome, trial.where(self.executor))
            self.waiting.forget(trial.number)
            self._give_up_where_many_fail()
            self._ask()  # at once: what is proposed depends on what was told by then

    def _next_to_tell(self) -> Running | None:
        trials = [self.running[number] for number in sorted(self.running)]
        in_turn = trials[:1] if self.tune.reproducible else trials
        return next((trial for trial in in_turn if trial.outcome is not None), None)

    def _ask(self) -> bool:
        """Ask for some of the trials that can be; return whether those are all."""
        for _ in range(ASKED_AT_ONCE):
            number = self.ledger.counts.total() + len(self.running)
            if len(self.running) >= self.tune.parallel or number >= self.total:
                return True
            self.study.sampler = make_sampler(self.tune, self.config.seed, number)
            self._adopt(self.study.ask())
        return False

    def _adopt(self, trial: optuna.Trial) -> Running:
        running = Running(trial, files_of(self.place, trial.number), suggest(trial, self.tune))
        self.running[trial.number] = running
        return running

    def _prepare(self) -> None:
        """Give new trials their runs and their files, as far as the server answers."""
        for trial in self._open():
            if trial.run_id is not None:
                continue
            try:
                config = with_values(self.config, trial.values)
            except UsageError as error:
                trial.outcome = TrialOutcome(TrialState.FAIL, reason=str(error))
                continue
            with self.server.trying():
                trial.run_id = self.runs.begin_trial(trial.number, trial.values)
            if trial.run_id is None:
                return
            message = Trial(
                study=self.tune.name,
                number=trial.number,
                run_id=trial.run_id,
                held_out=self.held_out,
                then=tuple(self.tune.then),
                tells=None if self.executor.shares_files else told_metric(self.tune),
            )
            trial.files.write_trial(message, config)
            trial.trial.set_user_attr(RUN_ID, trial.run_id)

    def _submit(self) -> None:
        new = [trial for trial in self._open() if trial.run_id is not None and trial.job is None]
        if not new:
            return
        for trial in new if self.executor.shares_files else ():
            self.waiting.put(trial.number)
        with self.pool.trying():
            jobs = [self.make_job(trial.files, self._name_of_next_job(trial)) for trial in new]
            for trial, job in zip(new, self.executor.submit(jobs), strict=True):
                trial.submissions += 1
                trial.remember(job)
                self.submitted[trial.number] = job

    def _note_taken(self) -> None:
        """Look for each trial at the job that has taken it, and remove the one made for it."""
        for number, by in self.waiting.taken().items():
            trial, job = self.running.get(number), self.submitted.get(by)
            if trial is None or trial.outcome is not None or job in (None, trial.job):
                continue
            own = trial.job
            trial.remember(job)
            if own is not None:
                with self.pool.trying():
                    self.executor.cancel([own], "another job measures its trial")

    def _say_where(self) -> None:
        """Have the runs of trials say where their jobs are, once these have started."""
        for trial in self._open():
            started = trial.status is not None and trial.status.starts > 0
            if not started or trial.run_id is None:
                continue
            where = trial.where(self.executor)
            if where != trial.said:
                with self.server.trying():
                    self.runs.tag_trial(trial.run_id, where)
                    trial.said = where

    def _name_of_next_job(self, trial: Running) -> str:
        return f"{self.tune.name}-{trial.number}-{trial.submissions + 1}"

    def _give_up_where_many_fail(self) -> None:
        failed = self.ledger.failed_in_a_row
        if failed >= self.tune.failures:
            self.ledger.write()
            self.remove_jobs("too many trials failed")
            raise RootflowError(
                f"study '{self.tune.name}': {failed} trials failed in a row, the last one with: "
                f"{self.ledger.last_reason} (see {self.place / 'trials'})"
            )

    def _progress(self) -> tuple[int, str]:
        """Return how many trials have ended, and how many are at what, with the best so far."""
        counts = Counter(str(trial.state) for trial in self._open() if trial.state not in ENDED)
        outcomes = [trial.outcome for trial in self.running.values() if trial.outcome is not None]
        ended = self.ledger.counts + Counter(outcome.state for outcome in outcomes)
        counts.update({CALLED[state]: count for state, count in ended.items()})
        shown = [name for name in SHOWN if counts[name] or name in ALWAYS_SHOWN]
        numbers = ", ".join(f"{counts[name]} {name}" for name in shown)
        return ended.total(), "; ".join(filter(None, (numbers, self.ledger.describe_best())))


@contextmanager
def _board(name: str, total: int) -> Iterator[Callable[[int, str], None]]:
    """Yield what shows progress: on a terminal at once, else as a line where it changed."""
    columns = (TextColumn("{task.fields[note]}"), TimeElapsedColumn())
    with on_terminal(name, total, *columns) as update:
        if update is None:
            yield _lines(name, total)
        else:
            yield lambda ended, counts: update(completed=ended, note=counts)


def _lines(name: str, total: int) -> Callable[[int, str], None]:
    last, last_time = "", 0.0

    def show(ended: int, counts: str) -> None:
        nonlocal last, last_time
        line = f"{name}: {ended}/{total} trials: {counts}"
        due = time.monotonic() - last_time >= SECONDS_BETWEEN_LINES
        if line != last and (due or ended == total):
            last, last_time = line, time.monotonic()
            click.echo(line, err=True)

    return show
