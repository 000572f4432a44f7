"""Ask, submit, watch, tell: the study's trials as jobs, none lost and none told twice."""

import time
from collections import Counter
from collections.abc import Callable

import optuna
from optuna.trial import TrialState

from rootflow.batch.contract import Executor, Job, State
from rootflow.config import Config, TuningConfig
from rootflow.errors import RootflowError, UsageError
from rootflow.tracking.study import StudyRun
from rootflow.tuning.board import Board, TrialCounts
from rootflow.tuning.ledger import TrialLedger
from rootflow.tuning.patience import Patience
from rootflow.tuning.running import JOB, PRUNED, RUN_ID, Running, TrialOutcome
from rootflow.tuning.sampling import make_sampler
from rootflow.tuning.space import suggest, with_values
from rootflow.tuning.study import Place
from rootflow.tuning.trials import Trial, TrialFiles, held_out_folds
from rootflow.tuning.watch import Watch

MakeJob = Callable[[TrialFiles, str], Job]
ASKED_AT_ONCE = 100  # trials, before these are submitted


class Driver:
    """Takes a study from wherever it is to its end.

    Everything it knows is in Optuna's storage, in the trials' directories or with the
    executor, so it can be killed at any moment and started again.

    Parameters
    ----------
    config, tune
        The configuration that trials vary, and the study.
    study, place
        From `open_study`; the caller keeps other drivers away.
    executor
        Runs the jobs; it knows those of an earlier driver.
    make_job
        Returns the job of a trial, of its files and the job's name.
    runs
        Where each trial has an MLflow run.
    """

    def __init__(
        self,
        config: Config,
        tune: TuningConfig,
        study: optuna.Study,
        place: Place,
        executor: Executor,
        make_job: MakeJob,
        runs: StudyRun,
    ) -> None:
        self.config = config
        self.tune = tune
        self.study = study
        self.place = place
        self.executor = executor
        self.make_job = make_job
        self.runs = runs
        self.total = tune.number_of_trials()
        self.held_out = held_out_folds(config, tune)
        self.ledger = TrialLedger(study, tune, place, runs)
        self.pool = Patience()
        self.server = Patience()
        self.watch = Watch(tune, executor, self.pool)
        self.running: dict[int, Running] = {}
        self._recover()

    def run(self) -> None:
        """Run trials until as many as configured have ended.

        Raises
        ------
        RootflowError
            Too many trials failed in a row.
        UsageError
            A metric that is asked for is not there.
        """
        with Board(self.tune.name, self.total) as board:
            while True:
                all_asked = self._ask()
                if all_asked:
                    self._tell_and_ask()
                self._prepare()
                self._submit()
                self.ledger.write()
                board.show(self._counts())
                if not self.running:
                    break
                if all_asked:
                    time.sleep(self.tune.poll_seconds)
                self.watch.look(self.running.values())
        self.ledger.finish()

    def jobs(self) -> list[str]:
        """Return the jobs that have not ended."""
        return [trial.job for trial in self.running.values() if trial.job and not trial.outcome]

    def remove_jobs(self, reason: str) -> None:
        """Remove the jobs of all running trials; the next driver submits them again."""
        self.executor.cancel(self.jobs(), reason)
        for trial in self.running.values():
            if trial.job and not trial.outcome:
                trial.remember(None)  # and not as a loss

    def _recover(self) -> None:
        known = {job.name: job_id for job_id, job in self.executor.known().items()}
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
        while (trial := self._next_to_tell()) is not None:
            del self.running[trial.number]
            self.ledger.tell(trial)
            self._give_up_where_many_fail()
            self._ask()  # at once: what is proposed depends on what was told by then

    def _next_to_tell(self) -> Running | None:
        for number in sorted(self.running):
            if self.running[number].outcome is not None:
                return self.running[number]
            if self.tune.reproducible:
                return None
        return None

    def _ask(self) -> bool:
        """Ask for some of the trials that can be; return whether those are all."""
        for _ in range(ASKED_AT_ONCE):
            number = self.ledger.ended + len(self.running)
            if len(self.running) >= self.tune.parallel or number >= self.total:
                return True
            self.study.sampler = make_sampler(self.tune, self.config.seed, number)
            self._adopt(self.study.ask())
        return False

    def _adopt(self, trial: optuna.Trial) -> Running:
        running = Running(trial, self.place.trial(trial.number), suggest(trial, self.tune))
        self.running[trial.number] = running
        return running

    def _prepare(self) -> None:
        """Give new trials their runs and their files, as far as the server answers."""
        for trial in self.running.values():
            if trial.outcome is not None or trial.run_id is not None:
                continue
            try:
                config = with_values(self.config, trial.values)
            except UsageError as error:
                trial.outcome = TrialOutcome(TrialState.FAIL, reason=str(error))
                continue
            with self.server:
                trial.run_id = self.runs.begin_trial(trial.number, trial.values)
            if trial.run_id is None:
                return
            trial.files.write_trial(self._message(trial, trial.run_id), config)
            trial.trial.set_user_attr(RUN_ID, trial.run_id)

    def _message(self, trial: Running, run_id: str) -> Trial:
        return Trial(
            study=self.tune.name,
            number=trial.number,
            run_id=run_id,
            held_out=self.held_out,
            then=tuple(self.tune.then),
        )

    def _submit(self) -> None:
        new = [
            trial
            for trial in self.running.values()
            if trial.outcome is None and trial.run_id is not None and trial.job is None
        ]
        if not new:
            return
        jobs = [self.make_job(trial.files, self._name_of_next_job(trial)) for trial in new]
        with self.pool:
            for trial, job in zip(new, self.executor.submit(jobs), strict=True):
                trial.submissions += 1
                trial.remember(job)

    def _name_of_next_job(self, trial: Running) -> str:
        return f"{self.tune.name}-{trial.number}-{trial.submissions + 1}"

    def _give_up_where_many_fail(self) -> None:
        failed = self.ledger.failed_in_a_row
        if failed >= self.tune.failures:
            self.ledger.write()
            self.remove_jobs("too many trials failed")
            raise RootflowError(
                f"study '{self.tune.name}': {failed} trials failed in a row, the last one with: "
                f"{self.ledger.last_reason} (see {self.place.directory / 'trials'})"
            )

    def _counts(self) -> TrialCounts:
        at_work = [trial.state for trial in self.running.values() if trial.outcome is None]
        ended = self.ledger.counts + Counter(
            trial.outcome.state for trial in self.running.values() if trial.outcome is not None
        )
        return TrialCounts(
            running=at_work.count(State.RUNNING),
            idle=at_work.count(State.IDLE),
            held=at_work.count(State.HELD),
            done=ended[TrialState.COMPLETE],
            pruned=ended[TrialState.PRUNED],
            failed=ended[TrialState.FAIL],
            best=self.ledger.describe_best(),
        )
