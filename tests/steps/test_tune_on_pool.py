"""Studies of real trainings on the real pool, with much that goes wrong, by each way of files."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
import yaml
from mlflow.entities import Run
from mlflow.tracking import MlflowClient
from optuna.trial import FrozenTrial

from condor_pool import Pool
from rootflow.batch import Executor, make_executor
from rootflow.batch.contract import read
from rootflow.batch.schedd import htcondor
from rootflow.config.batch import ProfileConfig, profile_of
from rootflow.files import LOCK
from rootflow.tuning.trials import TRIAL
from rootflow.tuning.waiting import WaitingTrials
from studies import trials_in

PROJECT = Path(__file__).parents[2]
EVICTED, KILLED = 1, 3
TRAININGS = "tags.`rootflow.step` = 'train'"


class Size(NamedTuple):
    """Trials of a study; the one that runs when the driver is killed."""

    trials: int
    when_the_driver_is_killed: int


SIZES = {"shared": Size(20, 8), "transfer": Size(5, 4)}
HERE, PARALLEL = 5, 4
# A training takes 1.2 GiB at most: one that is held for more is started twice.
PROFILE = {"executor": "htcondor", "job": {"memory_gib": 2, "disk_gib": 0.5}}
SETTINGS = {
    "base": str(PROJECT / "configs" / "ttbar.yaml"),
    "model": {"architecture": "feed_forward", "width": 8},
    "training": {"epochs": 2},
}
TUNE = {
    "name": "chaos",
    "objectives": [{"metric": "best_validation_loss", "direction": "minimize"}],
    "space": {
        "training.learning_rate": {"type": "float", "low": 1e-4, "high": 1e-1, "log": True},
        "model.depth": {"type": "int", "low": 1, "high": 2},
    },
    "sampler": {"name": "tpe", "startup_trials": 1},
    "parallel": PARALLEL,
    "poll_seconds": 0.5,
}


class Study:
    """What a study left, in a directory with a tracking store of its own."""

    def __init__(self, place: Path, profile: ProfileConfig | None, trials: int) -> None:
        self.place = place
        self.profile = profile
        self.size = trials
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

    def jobs(self, number: int) -> list[str]:
        """Return the jobs of a trial, submitted one after another."""
        wanted = f"{TUNE['name']}-{number}-"
        known = self.executor().known()
        return [job_id for job_id, job in known.items() if job.name.startswith(wanted)]

    def executor(self) -> Executor:
        assert self.profile is not None
        return make_executor(self.profile, self.directory / "jobs")

    def processes(self, number: int) -> list[psutil.Process]:
        """Return the process that measures a trial, wherever its files are."""
        trial = read(self.trial(number) / TRIAL)
        return [process for process in psutil.process_iter() if trial and measures(process, trial)]

    def evict(self, number: int) -> None:
        """Have HTCondor vacate the job that measures a trial."""
        by = WaitingTrials(self.directory).taken().get(number, number)
        name = self.executor().name_of(self.jobs(by)[-1])
        htcondor().Schedd().act(htcondor().JobAction.Vacate, [name], ("by hand", 0))

    def starts(self, trial: FrozenTrial) -> int:
        """Return how often the pool started the last job of a trial, and others that it lost."""
        job, _, losses = trial.user_attrs["job"]
        return self.executor().status([job])[job].starts + int(losses)

    def runs(self, wanted: str) -> list[Run]:
        experiment = self.client.get_experiment_by_name("ttbar")
        assert experiment is not None
        return list(self.client.search_runs([experiment.experiment_id], wanted))


def prepare(place: Path, store: Path, ntuple: Path, size: int, files: str | None = None) -> Study:
    """Make a study in a directory, on the pool by one of the ways of files, or on this machine."""
    (place / "mlflow.db").write_bytes(store.read_bytes())
    tune: dict[str, Any] = {**TUNE, "trials": size}
    profile = None
    if files is not None:
        # A trial needs neither, but a relative path of its settings might.
        apart = (
            {"tracking": "spool", "inputs": ["configs", "MLproject"]} if files != "shared" else {}
        )
        profile = profile_of({**PROFILE, "files": files, **apart}, files)
        tune["profile"] = str(place / "profile.json")
        Path(tune["profile"]).write_text(profile.model_dump_json())
    output = {"output": str(place / "outputs"), "data": {"files": [str(ntuple)]}}
    (place / "study.yaml").write_text(yaml.safe_dump({**SETTINGS, **output, "tune": tune}))
    return Study(place, profile, size)


@pytest.fixture(scope="module", params=SIZES)
def chaos(
    request: pytest.FixtureRequest,
    pool: Pool,  # noqa: ARG001 - it has to be up
    empty_store: Path,
    small_ntuple: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Study:
    """Return a study on the pool, with a trial evicted, one killed and the driver killed."""
    files = str(request.param)
    place, size = tmp_path_factory.mktemp(files), SIZES[files]
    study = prepare(place, empty_store, small_ntuple, size.trials, files)
    begun = study.begin()
    wait_for(lambda: study.processes(EVICTED), begun)
    study.evict(EVICTED)
    wait_for(lambda: study.processes(KILLED), begun)
    for process in study.processes(KILLED):
        process.kill()
    wait_for(lambda: study.processes(size.when_the_driver_is_killed), begun)
    [driver] = drivers_of(study)
    driver.send_signal(signal.SIGKILL)
    assert begun.wait() != 0
    study.go_to_its_end()
    return study


@pytest.fixture(scope="module")
def here(empty_store: Path, small_ntuple: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return the first trials of the same study, as processes of this machine."""
    study = prepare(tmp_path_factory.mktemp("here"), empty_store, small_ntuple, HERE)
    study.go_to_its_end()
    return study


def wait_for(happens: Callable[[], Any], begun: "subprocess.Popen[str]") -> None:
    until = time.monotonic() + 900
    while not happens():
        assert begun.poll() is None, "the study ended before"
        assert time.monotonic() < until
        time.sleep(0.1)


def measures(process: psutil.Process, trial: str) -> bool:
    """Return whether a process holds the lock beside the file of a trial, wherever that is."""
    try:
        places = [Path(file.path) for file in process.open_files()]
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    return any(path.name == LOCK and read(path.with_name(TRIAL)) == trial for path in places)


def drivers_of(study: Study) -> list[psutil.Process]:
    words = {"-m", "rootflow", "tune", str(study.place / "study.yaml")}
    return [process for process in psutil.process_iter() if words <= set(command_of(process))]


def command_of(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return []


def test_trials_end_each_once(chaos: Study) -> None:
    trials = chaos.trials()
    assert [trial.number for trial in trials] == list(range(chaos.size))
    assert {trial.state.name for trial in trials} == {"COMPLETE"}
    runs = chaos.runs("tags.`rootflow.trial` LIKE '%'")
    assert sorted(int(run.data.tags["rootflow.trial"]) for run in runs) == list(range(chaos.size))
    assert {run.info.status for run in runs} == {"FINISHED"}
    [study] = chaos.runs("tags.`rootflow.study` = 'chaos'")
    assert {run.data.tags["mlflow.parentRunId"] for run in runs} == {study.info.run_id}
    assert study.info.status == "FINISHED"
    assert study.data.metrics["trials_complete"] == chaos.size


def test_mlflow_and_optuna_agree_on_every_value(chaos: Study) -> None:
    runs = {
        int(run.data.tags["rootflow.trial"]): run
        for run in chaos.runs("tags.`rootflow.trial` LIKE '%'")
    }
    for trial in chaos.trials():
        run = runs[trial.number]
        assert run.data.metrics["best_validation_loss"] == trial.value
        assert run.data.params == {name: str(value) for name, value in trial.params.items()}
        trainings = [
            each
            for each in chaos.runs(f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
            if each.info.status == "FINISHED"
        ]
        # A trial that was stopped between its training and its result tells of the training twice.
        assert 1 <= len(trainings) <= chaos.starts(trial)
        for training in trainings:
            history = chaos.client.get_metric_history(training.info.run_id, "validation_loss")
            assert trial.intermediate_values == {each.step: each.value for each in history}


def test_dataset_is_made_once(chaos: Study) -> None:
    [made] = chaos.runs("tags.`rootflow.step` = 'preprocess'")
    [dataset] = (chaos.place / "outputs" / "datasets").glob("*/manifest.json")
    of_trainings = chaos.runs(TRAININGS)
    assert {run.data.tags["rootflow.dataset"] for run in of_trainings} == {dataset.parent.name}
    assert made.info.status == "FINISHED"


def test_what_went_wrong_did_go_wrong(chaos: Study) -> None:
    """HTCondor itself may start a job twice on a busy machine; the driver submits none twice."""
    executor = chaos.executor()
    jobs = {number: chaos.jobs(number) for number in range(chaos.size)}
    events = {
        number: "\n".join(executor.logs(job).events for job in each)
        for number, each in jobs.items()
    }
    several = [events[number] for number, each in jobs.items() if len(each) > 1]
    said = "\n".join([(chaos.place / "said.txt").read_text(), *several])
    submitted = {number: len(each) for number, each in jobs.items()}
    assert submitted == dict.fromkeys(range(chaos.size), 1) | {KILLED: 2}, said
    assert chaos.starts(chaos.trials()[EVICTED]) >= 2, events[EVICTED]
    measured_by = {trial.user_attrs["job"][0] for trial in chaos.trials()}
    if chaos.executor().shares_files:
        assert len(measured_by) < chaos.size  # jobs go on with another trial
    assert [text for text in events.values() if "Job was held" in text] == []
    [study] = chaos.runs("tags.`rootflow.study` = 'chaos'")
    moved = [run for run in chaos.runs("") if run.data.tags.get("rootflow.run")]
    assert [run.data.tags["rootflow.run"] for run in moved] == [study.info.run_id]


def test_trainings_are_where_those_made_here_are(chaos: Study) -> None:
    made = {path.parent.name for path in chaos.place.glob("outputs/trainings/*/training.json")}
    trained = {run.data.tags["rootflow.training"] for run in chaos.runs(TRAININGS)}
    assert len(trained) == chaos.size
    assert made == trained


def test_same_seed_finds_the_same_best_trial_on_this_machine(chaos: Study, here: Study) -> None:
    there, mine = chaos.trials()[:HERE], here.trials()
    assert [trial.params for trial in mine] == [trial.params for trial in there]
    assert [trial.values for trial in mine] == [trial.values for trial in there]
    assert best_of(mine) == best_of(there)


def best_of(trials: list[FrozenTrial]) -> int:
    return min(trials, key=lambda trial: trial.value or 0.0).number
