import json
import shutil
from pathlib import Path

import click.testing
import numpy as np
import pytest
from mlflow.tracking import MlflowClient

from rootflow.cli import compare
from rootflow.config import Config, load
from rootflow.dataset import Events
from rootflow.errors import InputError, UsageError
from rootflow.evaluation.classification import Scored, write_scores
from rootflow.evaluation.reconstruction import assess
from rootflow.evaluation.reconstruction.metrics import METRICS
from rootflow.evaluation.reconstruction.predictions import PREDICTIONS, write_predictions
from rootflow.methods.make import make_method
from rootflow.tracking import start_run
from rootflow.tracking.connection import connect
from toy_classes import GaussianModel, toy_classes
from toy_events import toy_events
from toy_methods import Knowing
from toy_scores import samples_with_files

CONFIGS = Path(__file__).parents[2] / "configs"
COUNTS = {"ggH": 300, "ZZ": 300, "data": 20}


@pytest.fixture
def client(workspace: Path, empty_store: Path) -> MlflowClient:
    shutil.copy(empty_store, workspace / "mlflow.db")
    return connect()


@pytest.fixture
def config() -> Config:
    return load(CONFIGS / "h4l.yaml")


def evaluated(config: Config, events: Events, noise: float = 0.0, above: str | None = None) -> str:
    """Log what evaluate logs, below a run of another step where one is named; return its id."""
    scores = GaussianModel(noise=noise).answer(events)
    scored = [Scored("network", scores, np.full(len(events), np.nan))]
    write_scores(events, samples_with_files(), scored, Path("scores.parquet"))
    if above is not None:
        with start_run(config, above) as parent, start_run(config, "evaluate", parent) as run:
            run.log_file(Path("scores.parquet"))
        return parent.run_id
    with start_run(config, "evaluate") as run:
        run.log_file(Path("scores.parquet"))
    return run.run_id


def call(*arguments: str) -> str:
    answer = click.testing.CliRunner().invoke(
        compare, [*arguments, "--replicas", "20"], catch_exceptions=False, standalone_mode=False
    )
    return answer.stdout


def test_runs_are_compared_and_logged(config: Config, client: MlflowClient) -> None:
    events = toy_classes(COUNTS)
    good, worse = evaluated(config, events), evaluated(config, events, noise=2, above="main")
    found = json.loads(call(worse, good, "--json", "--output", "found"))
    names = [row["model"] for row in found["models"]]
    assert names[0] == f"network:{good[:8]}"
    assert len(names) == 2
    assert found["models"][0]["p_better_than_first"] == 1 / 21
    files = {path.name for path in Path("found").iterdir()}
    assert files == {
        *(f"comparison.{suffix}" for suffix in ("json", "png", "pdf")),
        *(f"{name}.{suffix}" for name in ("models", "comparisons") for suffix in ("csv", "tex")),
    }
    assert json.loads(Path("found/comparison.json").read_text())["events"] == 600
    logged = client.get_run(found["run_id"])
    assert logged.info.experiment_id == client.get_run(good).info.experiment_id
    assert logged.data.tags["rootflow.step"] == "compare"
    assert logged.data.tags["rootflow.compared.2"] == good
    artifacts = {artifact.path for artifact in client.list_artifacts(found["run_id"])}
    assert {"comparison.json", "figures"} <= artifacts


def test_methods_are_compared_from_what_they_said(client: MlflowClient) -> None:
    """Of two evaluations of the same events the method that is in both is one model."""
    config, events = load(CONFIGS / "ttbar.yaml"), toy_events(300)
    settings = config.evaluation.model_copy(update={"replicas": 20, "neutrinos": "none"})
    runs, found = [], []
    for share in (0.9, 0.3):
        methods = [Knowing("network", share), *(make_method(m, 1) for m in ("delta_r", "truth"))]
        assessment = assess(events, methods, settings, seed=1)
        found.append(assessment.evaluation)
        write_predictions(assessment.candidates, assessment.sample, ["0123"], Path(PREDICTIONS))
        with start_run(config, "evaluate") as run:
            run.log_file(Path(PREDICTIONS))
        runs.append(run.run_id)
    said = json.loads(call(*runs, "--json", "--output", "found"))
    names = [f"network:{run[:8]}" for run in runs]
    assert {row["model"] for row in said["models"]} == {*names, "delta_r"}
    assert said["models"][0]["model"] == names[0]
    for name, evaluation in zip(names, found, strict=True):
        (row,) = (row for row in said["models"] if row["model"] == name)
        for metric in METRICS:
            assert row[metric] == evaluation.methods[0].metrics[metric].value
    gains = {
        (each["metric"], each["model"], each["other"]): each
        for each in json.loads(Path("found/comparison.json").read_text())["comparisons"]
    }
    assert gains["assignment_accuracy", *names]["p_value"] == 1 / 21
    logged = client.get_run(said["run_id"]).data.metrics
    assert (
        logged[f"mtt_resolution/{names[0]}"] == found[0].methods[0].metrics["mtt_resolution"].value
    )


@pytest.mark.usefixtures("client")
def test_table_on_the_terminal(config: Config) -> None:
    events = toy_classes(COUNTS)
    good, worse = evaluated(config, events), evaluated(config, events, noise=2)
    shown = call(good, worse)
    assert "±" in shown
    assert "p best is better" in shown


def test_runs_that_cannot_be_compared_leave_no_run(config: Config, client: MlflowClient) -> None:
    events = toy_classes(COUNTS)
    one = evaluated(config, events)
    with pytest.raises(UsageError, match="two or more different evaluations, this is 1"):
        call(one, one)
    with pytest.raises(UsageError, match="two or more different evaluations, this is 0"):
        call()
    with pytest.raises(UsageError, match="there is no run 0123"):
        call(one, "0123")
    fewer = evaluated(config, events.take(slice(0, 500)))
    with pytest.raises(InputError, match=f"{one[:8]} and {fewer[:8]} cannot be compared"):
        call(one, fewer)
    with start_run(load(CONFIGS / "ttbar.yaml"), "evaluate") as run:
        pass
    with pytest.raises(UsageError, match=f"run {run.run_id} is of reconstruction, run {one} of"):
        call(one, run.run_id)
    with start_run(config, "evaluate") as empty:
        pass
    with pytest.raises(UsageError, match=r"has no artifact scores\.parquet"):
        call(one, empty.run_id)
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    assert client.search_runs(experiments, "tags.`rootflow.step` = 'compare'") == []
