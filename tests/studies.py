"""What a study of toy trials left in a working directory."""

import time
from pathlib import Path
from typing import Any

import optuna
from mlflow.entities import Run
from mlflow.tracking import MlflowClient
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial

TOY = Path(__file__).parent / "tuning" / "toy.yaml"
QUICK = ["tune.poll_seconds=0.05"]


def trials_of(place: Path, name: str = "toy") -> list[FrozenTrial]:
    return trials_in(place / "outputs" / "studies" / name / "study.journal", name)


def trials_in(journal: Path, name: str) -> list[FrozenTrial]:
    storage = JournalStorage(JournalFileBackend(str(journal)))
    return optuna.load_study(study_name=name, storage=storage).trials


def runs_of(place: Path) -> dict[int, Run]:
    """Return the runs of all trials by number, of which none may have two."""
    client = MlflowClient(f"sqlite:///{place / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("ttbar")
    assert experiment is not None
    runs = [
        run
        for run in client.search_runs([experiment.experiment_id])
        if "rootflow.trial" in run.data.tags
    ]
    numbers = {int(run.data.tags["rootflow.trial"]): run for run in runs}
    assert len(numbers) == len(runs)
    return numbers


def starts_of(place: Path, number: int) -> int:
    """Return how often the job of a trial began to measure."""
    starts = place / "outputs" / "studies" / "toy" / "trials" / f"{number:05d}" / "starts"
    return len(starts.read_text().splitlines())


def assert_each_counted_once(place: Path, trials: int) -> None:
    """Check that Optuna and MLflow have the same trials with the same values, each once."""
    told, runs = trials_of(place), runs_of(place)
    assert [trial.number for trial in told] == list(range(trials)) == sorted(runs)
    assert all(trial.state.is_finished() for trial in told)
    for trial in told:
        run = runs[trial.number]
        assert run.data.tags["rootflow.trial.state"] == trial.state.name.lower()
        assert run.info.status != "RUNNING"
        assert run.data.params == {name: str(value) for name, value in trial.params.items()}
        if trial.value is not None:
            assert run.data.metrics["loss"] == trial.value


def wait_for(path: Path, seconds: float = 180.0) -> None:
    until = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < until, f"{path} does not appear"
        time.sleep(0.05)


def asked_and_answered(trials: list[FrozenTrial]) -> list[tuple[dict[str, Any], Any]]:
    return [(trial.params, trial.value) for trial in trials]
