"""A study of 20 real trainings on the real pool, with much that goes wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from mlflow.entities import Run
from mlflow.tracking import MlflowClient
from optuna.trial import FrozenTrial

from condor_pool import Pool
from rootflow.batch import make_executor
from rootflow.batch.schedd import htcondor
from rootflow.config.batch import profile_of
from rootflow.files import LOCK
from studies import trials_in

PROJECT = Path(__file__).parents[2]
TRIALS, HERE, PARALLEL = 20, 5, 4
EVICTED, KILLED, LAST_BEFORE_THE_DRIVER_IS_KILLED = 1, 3, 8
PROFILE = {
    "executor": "htcondor",
    "files": "shared",
    # A training takes 1.2 GiB at most: one that is held for more is started twice.
    "job": {"memory_gib": 2, "disk_gib": 0.1},
}
SETTINGS = {
    "base": str(PROJECT / "configs" / "ttbar.yaml"),
    "model": {"architecture": "feed_forward", "width": 8},
    "training": {"epochs": 2},
}
TUNE = {
    "name": "twenty",
    "objectives": [{"metric": "best_validation_loss", "direction": "minimize"}],
    "space": {
        "training.learning_rate": {"type": "float", "low": 1e-4, "high": 1e-1, "log": True},
        "model.depth": {"type": "int", "low": 1, "high": 2},
    },
    "sampler": {"name": "tpe", "startup_trials": 1},
    "trials": TRIALS,
    "parallel": PARALLEL,
    "poll_seconds": 0.5,
}


class Study:
    """What a study left, in a directory with a tracking store of its own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.directory = place / "outputs" / "studies" / str(TUNE["name"])
        self.client = MlflowClient(f"sqlite:///{place / 'mlflow.db'}")

    def begin(self) -> "subprocess.Popen[str]":
        """Start `mlflow run . -e tune`."""
        command = ["mlflow", "run", ".", "-e", "tune", "--env-manager", "local"]
        command += ["--experiment-name", "ttbar", "-P", f"config={self.place / 'study.yaml'}"]
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "MLFLOW_TRACKING_URI": f"sqlite:///{self.place / 'mlflow.db'}",
        }
        with (self.place / "said.txt").open("a") as said:
            return subprocess.Popen(
                command, cwd=PROJECT, env=environment, stdout=said, stderr=said, text=True
            )

    def go_to_its_end(self) -> None:
        assert self.begin().wait() == 0, (self.place / "said.txt").read_text()

    def trial(self, number: int) -> Path:
        return self.directory / "trials" / f"{number:05d}"

    def trials(self) -> list[FrozenTrial]:
        return trials_in(self.directory / "study.journal", str(TUNE["name"]))

    def events(self, number: int) -> list[str]:
        """Return what happened to each job of a trial, by HTCondor's event log."""
        executor = make_executor(profile_of(PROFILE, "profile"), self.directory / "jobs")
        jobs = {job_id: job.name for job_id, job in executor.known().items()}
        wanted = f"{TUNE['name']}-{number}-"
        return [executor.logs(job).events for job, name in jobs.items() if name.startswith(wanted)]

    def starts_of(self, trial: FrozenTrial) -> int:
        """Return how often the pool started the last job of a trial, and others that it lost."""
        job, _, losses = trial.user_attrs["job"]
        executor = make_executor(profile_of(PROFILE, "profile"), self.directory / "jobs")
        return int(ended(executor.name_of(job))["NumJobStarts"]) + int(losses)

    def runs(self, wanted: str) -> list[Run]:
        experiment = self.client.get_experiment_by_name("ttbar")
        assert experiment is not None
        return list(self.client.search_runs([experiment.experiment_id], wanted))


def prepare(place: Path, store: Path, ntuple: Path, **settings: Any) -> Study:
    (place / "mlflow.db").write_bytes(store.read_bytes())
    profile = place / "profile.json"
    profile.write_text(json.dumps(PROFILE))
    output = {"output": str(place / "outputs"), "data": {"files": [str(ntuple)]}}
    text = yaml.safe_dump({**SETTINGS, **output, "tune": {**TUNE, **settings}})
    (place / "study.yaml").write_text(text)
    return Study(place)


@pytest.fixture(scope="module")
def twenty(
    pool: Pool,  # noqa: ARG001 - it has to be up
    empty_store: Path,
    small_ntuple: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Study:
    """Return a study on the pool, with a trial evicted, one killed and the driver killed."""
    place = tmp_path_factory.mktemp("twenty")
    study = prepare(place, empty_store, small_ntuple, profile=str(place / "profile.json"))
    begun = study.begin()
    wait_for(lambda: processes_of(study.trial(EVICTED)), begun)
    evict(study.trial(EVICTED))
    wait_for(lambda: processes_of(study.trial(KILLED)), begun)
    for process in processes_of(study.trial(KILLED)):
        process.kill()
    wait_for((study.trial(LAST_BEFORE_THE_DRIVER_IS_KILLED) / "progress.jsonl").exists, begun)
    [driver] = drivers_of(study)
    driver.send_signal(signal.SIGKILL)
    assert begun.wait() != 0
    study.go_to_its_end()
    return study


@pytest.fixture(scope="module")
def here(empty_store: Path, small_ntuple: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return the first trials of the same study, as processes of this machine."""
    study = prepare(tmp_path_factory.mktemp("here"), empty_store, small_ntuple, trials=HERE)
    study.go_to_its_end()
    return study


def wait_for(happens: Callable[[], Any], begun: "subprocess.Popen[str]") -> None:
    until = time.monotonic() + 900
    while not happens():
        assert begun.poll() is None, "the study ended before"
        assert time.monotonic() < until
        time.sleep(0.1)


def processes_of(trial: Path) -> list[psutil.Process]:
    """Return the process that measures a trial, whose lock it holds; none where there is none."""
    return [process for process in psutil.process_iter() if has_open(process, trial / LOCK)]


def has_open(process: psutil.Process, path: Path) -> bool:
    try:
        return str(path) in [file.path for file in process.open_files()]
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def ended(job: str) -> Any:
    """Return what the pool says of a job, cluster.proc, which ends at the latest with its study."""
    cluster, _, proc = job.partition(".")
    found = f"ClusterId == {cluster} && ProcId == {proc}"
    until = time.monotonic() + 900
    while not (ads := list(htcondor().Schedd().history(found, ["NumJobStarts"]))):
        assert time.monotonic() < until, f"job {job} does not end"
        time.sleep(0.5)
    return ads[0]


def drivers_of(study: Study) -> list[psutil.Process]:
    config = str(study.place / "study.yaml")
    return [
        process
        for process in psutil.process_iter()
        if is_called(process, "-m", "rootflow", "tune", config)
    ]


def is_called(process: psutil.Process, *words: str) -> bool:
    try:
        return set(words) <= set(process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def evict(trial: Path) -> None:
    """Have HTCondor vacate the job that measures a trial."""
    [job] = (trial.parents[1] / "taken").glob(f"{trial.name}.*")
    directory = trial.with_name(job.suffix[1:])
    schedd = htcondor().Schedd()
    [found] = schedd.query(f'Iwd == "{directory}"', ["ClusterId", "ProcId"])
    job = f"{found['ClusterId']}.{found['ProcId']}"
    schedd.act(htcondor().JobAction.Vacate, [job], ("by hand", 0))


def test_twenty_trials_end_each_once(twenty: Study) -> None:
    trials = twenty.trials()
    assert [trial.number for trial in trials] == list(range(TRIALS))
    assert {trial.state.name for trial in trials} == {"COMPLETE"}
    runs = twenty.runs("tags.`rootflow.trial` LIKE '%'")
    assert sorted(int(run.data.tags["rootflow.trial"]) for run in runs) == list(range(TRIALS))
    assert {run.info.status for run in runs} == {"FINISHED"}
    [study] = twenty.runs("tags.`rootflow.study` = 'twenty'")
    assert {run.data.tags["mlflow.parentRunId"] for run in runs} == {study.info.run_id}
    assert study.info.status == "FINISHED"
    assert study.data.metrics["trials_complete"] == TRIALS


def test_mlflow_and_optuna_agree_on_every_value(twenty: Study) -> None:
    runs = {
        int(run.data.tags["rootflow.trial"]): run
        for run in twenty.runs("tags.`rootflow.trial` LIKE '%'")
    }
    for trial in twenty.trials():
        run = runs[trial.number]
        assert run.data.metrics["best_validation_loss"] == trial.value
        assert run.data.params == {name: str(value) for name, value in trial.params.items()}
        trainings = [
            each
            for each in twenty.runs(f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
            if each.info.status == "FINISHED"
        ]
        # A trial that was stopped between its training and its result tells of the training twice.
        assert 1 <= len(trainings) <= twenty.starts_of(trial)
        for training in trainings:
            history = twenty.client.get_metric_history(training.info.run_id, "validation_loss")
            assert trial.intermediate_values == {each.step: each.value for each in history}


def test_dataset_is_made_once(twenty: Study) -> None:
    [made] = twenty.runs("tags.`rootflow.step` = 'preprocess'")
    [dataset] = (twenty.place / "outputs" / "datasets").glob("*/manifest.json")
    of_trainings = twenty.runs("tags.`rootflow.step` = 'train'")
    assert {run.data.tags["rootflow.dataset"] for run in of_trainings} == {dataset.parent.name}
    assert made.info.status == "FINISHED"


def test_what_went_wrong_did_go_wrong(twenty: Study) -> None:
    """HTCondor itself may start a job twice on a busy machine; the driver submits none twice."""
    jobs = {number: len(twenty.events(number)) for number in range(TRIALS)}
    said = (twenty.place / "said.txt").read_text()
    again = "\n".join(
        text for number, count in jobs.items() if count > 1 for text in twenty.events(number)
    )
    assert jobs == dict.fromkeys(range(TRIALS), 1) | {KILLED: 2}, f"{said}\n{again}"
    assert twenty.starts_of(twenty.trials()[EVICTED]) >= 2, twenty.events(EVICTED)
    measured_by = [trial.user_attrs["job"][0] for trial in twenty.trials()]
    assert len(set(measured_by)) < TRIALS  # jobs go on with another trial
    held = [text for number in jobs for text in twenty.events(number) if "Job was held" in text]
    assert held == []
    [study] = twenty.runs("tags.`rootflow.study` = 'twenty'")
    moved = [run for run in twenty.runs("") if run.data.tags.get("rootflow.run")]
    assert [run.data.tags["rootflow.run"] for run in moved] == [study.info.run_id]


def test_same_seed_finds_the_same_best_trial_on_this_machine(twenty: Study, here: Study) -> None:
    there, mine = twenty.trials()[:HERE], here.trials()
    assert [trial.params for trial in mine] == [trial.params for trial in there]
    assert [trial.values for trial in mine] == [trial.values for trial in there]
    assert best_of(mine) == best_of(there)


def best_of(trials: list[FrozenTrial]) -> int:
    return min(trials, key=lambda trial: trial.value or 0.0).number
