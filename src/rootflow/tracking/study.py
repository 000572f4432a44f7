"""The runs of a study: one of its own, below it one for each trial."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.entities import Run as MlflowRun
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from rootflow.config import Config
from rootflow.tracking import carried
from rootflow.tracking.connection import connect, log_all, server_must_answer
from rootflow.tracking.run import MOVED_TO, PARENT, Run, start_run

RUN_ID = "MLFLOW_RUN_ID"
TRIAL = "rootflow.trial"
RUNNING = "and status = 'RUNNING'"


class StudyRun:
    """The run of a study, and the door to those of its trials; each may be told of twice."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._begun: dict[int, str] | None = None

    def begin_trial(self, number: int, values: Mapping[str, Any]) -> str:
        """Return the id of the trial's run, which is made when it is not there."""
        client = self.run.client
        with server_must_answer():
            begun = self._begun if self._begun is not None else self._runs_of_trials()
            self._begun = None  # what is cut off here may have made a run: look again then
            if number not in begun:
                tags = {PARENT: self.run.run_id, TRIAL: str(number)}
                begun[number] = client.create_run(
                    self.run.experiment_id, tags=tags, run_name=f"trial {number}"
                ).info.run_id
            params = [Param(name, str(value)) for name, value in values.items()]
            log_all(client, begun[number], params=params)
            self._begun = begun
        return begun[number]

    def tag_trial(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags of a trial's run."""
        with server_must_answer():
            log_all(self.run.client, run_id, tags=[RunTag(*tag) for tag in tags.items()])

    def end_trial(
        self,
        run_id: str,
        status: str,
        tags: Mapping[str, str],
        metrics: Mapping[str, float],
        milliseconds: int,
        spool: Path,
    ) -> None:
        """Say how a trial ended; what a killed job left open below it is ended, too.

        What its job has logged to a store in `spool`, if there is one, is logged first.
        """
        with server_must_answer():
            if (spool / carried.STORE).exists():
                carried.deliver(spool, run_id, self.run.client)
            self.run.client.log_batch(
                run_id,
                metrics=[Metric(name, value, milliseconds, 0) for name, value in metrics.items()],
                tags=[RunTag(name, value) for name, value in tags.items()],
            )
            end_below(self.run, run_id, milliseconds)
            self.run.client.set_terminated(run_id, status, milliseconds)

    def open_trials(self) -> dict[int, str]:
        """Return the runs of trials that have not ended, by the number of the trial."""
        with server_must_answer():
            return self._runs_of_trials(RUNNING)

    def _runs_of_trials(self, condition: str = "") -> dict[int, str]:
        below = _below(self.run, self.run.run_id, condition)
        runs = [run for run in below if TRIAL in run.data.tags]
        return {int(run.data.tags[TRIAL]): run.info.run_id for run in runs}


def end_below(run: Run, run_id: str, milliseconds: int) -> None:
    """End as killed what is still open below a run, which may be another than the given one's."""
    for below in _below(run, run_id, RUNNING):
        end_below(run, below.info.run_id, milliseconds)
        run.client.set_terminated(below.info.run_id, "KILLED", milliseconds)


def _below(run: Run, run_id: str, condition: str) -> list[MlflowRun]:
    wanted = f"tags.`{PARENT}` = '{run_id}' {condition}"
    experiments = [run.experiment_id]
    return mlflow.search_runs(experiments, wanted, max_results=10_000_000, output_format="list")


@contextmanager
def start_study(config: Config, run_id: str | None) -> Iterator[StudyRun]:
    """Open the run of a study, or go on with the one it had, and end it as the block ends."""
    client = connect()
    with server_must_answer():
        if run_id is not None and _is_there(client, run_id):
            opened = os.environ.get(RUN_ID)
            if opened not in (None, run_id):  # by `mlflow run`
                client.set_tag(opened, MOVED_TO, run_id)
            client.update_run(run_id, status="RUNNING")
            os.environ[RUN_ID] = run_id
    # Without what may change while the study goes on: a parameter has one value only.
    with start_run(config.model_copy(update={"tune": None}), "tune") as run:
        yield StudyRun(run)


def join_run(config: Config, run_id: str) -> Run:
    """Return a run that another process opened, to keep others below it."""
    client = connect()
    with server_must_answer():
        experiment = client.get_run(run_id).info.experiment_id
    return Run(client, run_id, experiment, config.output / "spool" / run_id)


def _is_there(client: MlflowClient, run_id: str) -> bool:
    try:
        return bool(client.get_run(run_id).info.lifecycle_stage == "active")
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return False
