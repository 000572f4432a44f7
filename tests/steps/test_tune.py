"""A study of real trainings, through the command line."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from glossary import assert_known
from rootflow.config import load
from studies import trials_in

CONFIG = Path(__file__).parents[2] / "configs" / "ttbar.yaml"
TRIALS = 3
TUNE = {
    "name": "small",
    "objectives": [{"metric": "best_validation_loss", "direction": "minimize"}],
    "space": {
        "training.learning_rate": {"type": "float", "low": 1e-4, "high": 1e-2, "log": True},
        "model.depth": {"type": "int", "low": 1, "high": 3},
    },
    "trials": TRIALS,
    "parallel": 2,
    "folds": 2,
}


@pytest.fixture(scope="module")
def place(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("study")
    (directory / "mlflow.db").write_bytes(empty_store.read_bytes())
    return directory


@pytest.fixture(scope="module")
def study(place: Path, small_ntuple: Path) -> dict[str, Any]:
    """Return what the command says of the study."""
    settings = {
        "base": str(CONFIG),
        "data": {"files": [str(small_ntuple)]},
        "model": {"architecture": "feed_forward", "width": 8},
        "training": {"epochs": 2, "fast_dev_run": True},
        "tune": TUNE,
    }
    (place / "study.yaml").write_text(yaml.safe_dump(settings))
    return rootflow(place, "tune", "study.yaml")


def rootflow(place: Path, step: str, config: str, *settings: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "rootflow", step, "--config", config, "--json", *settings]
    answer = subprocess.run(command, cwd=place, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    result: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return result


def below(place: Path, run_id: str) -> list[Run]:
    client = MlflowClient(f"sqlite:///{place / 'mlflow.db'}")
    experiment = client.get_run(run_id).info.experiment_id
    return list(client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{run_id}'"))


def trial_runs(place: Path, study: dict[str, Any]) -> dict[int, Run]:
    runs = {run.data.tags.get("rootflow.trial"): run for run in below(place, study["run_id"])}
    return {int(number): run for number, run in runs.items() if number is not None}


@pytest.mark.slow
def test_each_trial_is_a_run_with_a_training_for_each_fold(
    place: Path, study: dict[str, Any]
) -> None:
    runs = trial_runs(place, study)
    trials = trials_in(Path(study["dashboard"].removeprefix("optuna-dashboard ")), "small")
    assert len(trials) == len(runs) == TRIALS
    for trial in trials:
        run = runs[trial.number]
        assert run.info.status == "FINISHED"
        assert run.data.metrics["best_validation_loss"] == trial.value
        trainings = below(place, run.info.run_id)
        assert sorted(each.data.tags["rootflow.fold"] for each in trainings) == ["0", "1"]
        assert {each.info.status for each in trainings} == {"FINISHED"}
        losses = [each.data.metrics["best_validation_loss"] for each in trainings]
        assert trial.value == pytest.approx(sum(losses) / 2, rel=1e-12)
        first = {each.data.tags["rootflow.fold"]: each for each in trainings}["0"]
        assert trial.intermediate_values == {1: first.data.metrics["validation_loss"]}


@pytest.mark.slow
def test_every_metric_is_in_the_glossary(place: Path, study: dict[str, Any]) -> None:
    known = assert_known(f"sqlite:///{place / 'mlflow.db'}")
    assert {"best/METRIC", "trials_complete", "best_validation_loss"} <= known
    assert study["metrics"]


@pytest.mark.slow
def test_best_settings_and_figures_are_left(place: Path, study: dict[str, Any]) -> None:
    [best] = study["best"]
    rows = sorted(study["trials"], key=lambda row: row["best_validation_loss"])
    config = load(Path(best))
    assert config.model.depth == rows[0]["model.depth"]
    assert config.training.learning_rate == rows[0]["training.learning_rate"]
    assert study["metrics"]["best/best_validation_loss"] == rows[0]["best_validation_loss"]
    client = MlflowClient(f"sqlite:///{place / 'mlflow.db'}")
    artifacts = {each.path for each in client.list_artifacts(study["run_id"])}
    assert {"best.yaml", "tune.yaml", "config.yaml", "figures"} <= artifacts
    best_of_study = "outputs/studies/small/best.yaml"
    assert study["retrain"] == [f"rootflow main --config {best_of_study} data.folds.held_out=all"]
    # The training is the trial's own: it is found again, and not repeated.
    again = rootflow(place, "train", best)
    trained = trial_runs(place, study)[rows[0]["trial"]]
    fold = {run.data.tags["rootflow.fold"]: run for run in below(place, trained.info.run_id)}["0"]
    assert again["seconds"] == fold.data.metrics["seconds"]


@pytest.mark.slow
@pytest.mark.usefixtures("study")
def test_size_and_latency_may_be_wanted_and_the_registry_stays_empty(place: Path) -> None:
    wanted = [{"metric": name, "direction": "minimize"} for name in ("parameters", "latency_ms")]
    study = rootflow(
        place,
        "tune",
        "study.yaml",
        "tune.name=fast",
        f"tune.objectives={json.dumps(wanted)}",
        "tune.then=[export]",
        "tune.trials=1",
        "tune.folds=1",
    )
    [row] = study["trials"]
    [run] = trial_runs(place, study).values()
    assert 0 < row["latency_ms"] == run.data.metrics["latency_ms"]
    [training] = [
        each for each in below(place, run.info.run_id) if each.data.tags["rootflow.step"] == "train"
    ]
    assert row["parameters"] == training.data.metrics["parameters"]
    client = MlflowClient(f"sqlite:///{place / 'mlflow.db'}")
    assert list(client.search_registered_models()) == []
