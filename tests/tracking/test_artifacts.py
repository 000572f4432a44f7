from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from rootflow.analyses.ttbar import TtbarConfig
from rootflow.errors import RootflowError, UsageError
from rootflow.tracking import artifact_of, start_run
from rootflow.tracking.artifacts import run_of_step
from rootflow.tracking.run import start_run_among


@pytest.mark.usefixtures("client")
def test_artifact_is_fetched_as_it_was_logged(config: TtbarConfig) -> None:
    with start_run(config, "evaluate") as run:
        run.log_text("0.5 0.7", "scores.txt")
        run.log_file(Path(__file__), "deeper")
    fetched = artifact_of(run.run_id, "scores.txt", Path("new", "place"))
    assert fetched.read_text() == "0.5 0.7"
    assert fetched.resolve().is_relative_to(Path("new", "place").resolve())
    source = Path(__file__).name
    assert artifact_of(run.run_id, f"deeper/{source}", Path("new")).name == source


@pytest.mark.usefixtures("client")
def test_missing_artifact_and_unknown_run_are_told_apart(config: TtbarConfig) -> None:
    with start_run(config, "evaluate") as run:
        pass
    with pytest.raises(UsageError, match=rf"run {run.run_id} has no artifact scores\.parquet"):
        artifact_of(run.run_id, "scores.parquet", Path("new"))
    for unknown in ("0123456789abcdef0123456789abcdef", "no id at all"):
        with pytest.raises(UsageError, match=rf"there is no run {unknown} on sqlite:"):
            artifact_of(unknown, "scores.parquet", Path("new"))


@pytest.mark.usefixtures("client")
def test_run_of_a_step_is_found_below_the_one_above_it(config: TtbarConfig) -> None:
    with start_run(config, "main") as main:
        with start_run(config, "train", main):
            pass
        with start_run(config, "evaluate", main) as evaluation:
            pass
    found = run_of_step(main.run_id, "evaluate")
    assert found.run_id == evaluation.run_id
    assert found == run_of_step(evaluation.run_id, "evaluate")
    assert found.params["analysis"] == "ttbar"
    with pytest.raises(UsageError, match=rf"{main.run_id} is main: name a finished run of export"):
        run_of_step(main.run_id, "export")


def test_run_that_points_to_the_kept_one_is_followed(
    config: TtbarConfig, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = client.create_run("0").info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", opened)
    with start_run(config, "evaluate") as run:
        pass
    assert run_of_step(opened, "evaluate").run_id == run.run_id


@pytest.mark.usefixtures("workspace")
def test_server_that_is_away_keeps_its_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://student:secret@localhost:1")
    with pytest.raises(RootflowError, match="http://localhost:1 does not answer") as caught:
        artifact_of("0123", "scores.parquet", Path("new"))
    assert "secret" not in str(caught.value)


def test_run_without_configuration_says_what_it_is(client: MlflowClient) -> None:
    experiment = client.create_experiment("mine")
    spools = Path("spools")
    with start_run_among(experiment, "compare", {"rootflow.compared.1": "abc"}, spools) as run:
        run.log_metrics({"auc": 0.5})
    logged = client.get_run(run.run_id)
    assert logged.info.status == "FINISHED"
    assert logged.info.experiment_id == experiment
    assert logged.data.tags["rootflow.step"] == "compare"
    assert logged.data.tags["rootflow.compared.1"] == "abc"
    with (
        pytest.raises(ValueError, match="no"),
        start_run_among(experiment, "compare", {}, spools) as run,
    ):
        raise ValueError("no")
    assert client.get_run(run.run_id).info.status == "FAILED"
