import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from rootflow.analyses.ttbar import TtbarConfig
from rootflow.errors import RootflowError
from rootflow.tracking import start_run
from servers import free_port, serve, stop

TTBAR = Path(__file__).parents[2] / "configs" / "ttbar.yaml"


def test_run_says_what_it_did_with_what(config: TtbarConfig, client: MlflowClient) -> None:
    with start_run(config, "train") as run:
        run.log_metrics({"loss": 2.0}, step=0)
        run.log_metrics({"loss": 1.0}, step=1)
        run.log_dataset("ttbar", "0123456789abcdef", Path("somewhere"), {"events": 3})
    logged = client.get_run(run.run_id)
    assert logged.info.status == "FINISHED"
    assert client.get_experiment(logged.info.experiment_id).name == "ttbar"
    assert logged.info.run_name == "train transformer"
    assert logged.data.params["training.epochs"] == str(config.training.epochs)
    assert logged.data.tags["rootflow.step"] == "train"
    assert logged.data.tags["rootflow.fold"] == "0"
    assert logged.data.tags["rootflow.dataset"] == "0123456789abcdef"
    assert logged.data.tags["rootflow.config"]
    assert logged.data.metrics["wall_seconds"] > 0
    history = client.get_metric_history(run.run_id, "loss")
    assert [(metric.step, metric.value) for metric in history] == [(0, 2.0), (1, 1.0)]
    assert logged.inputs.dataset_inputs[0].dataset.digest == "0123456789abcdef"
    artifacts = {artifact.path for artifact in client.list_artifacts(run.run_id)}
    assert {"config.yaml", "environment.json"} <= artifacts


def test_steps_are_children_of_the_run_above_them(
    config: TtbarConfig, client: MlflowClient
) -> None:
    with start_run(config, "main") as parent, start_run(config, "train", parent) as child:
        pass
    assert client.get_run(child.run_id).data.tags["mlflow.parentRunId"] == parent.run_id


def test_run_that_mlflow_opened_in_an_experiment_is_joined(
    config: TtbarConfig, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = client.create_experiment("my own")
    opened = client.create_run(experiment).info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", opened)
    with start_run(config, "train") as run:
        assert run.run_id == opened
    assert client.get_run(opened).info.status == "FINISHED"


def test_run_that_mlflow_opened_in_default_points_to_the_one_in_ttbar(
    config: TtbarConfig, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = client.create_run("0").info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", opened)
    with start_run(config, "train") as run:
        pass
    assert client.get_experiment(run.experiment_id).name == "ttbar"
    assert client.get_run(opened).data.tags["rootflow.run"] == run.run_id


def test_failure_is_shown_as_failed_with_its_reason(
    config: TtbarConfig, client: MlflowClient
) -> None:
    with pytest.raises(ValueError, match="no such jet"), start_run(config, "train") as run:
        raise ValueError("no such jet")
    logged = client.get_run(run.run_id)
    assert logged.info.status == "FAILED"
    assert logged.data.tags["rootflow.error"] == "no such jet"


def test_run_names_the_first_finished_run_that_its_input_came_from(
    config: TtbarConfig, client: MlflowClient
) -> None:
    with start_run(config, "train") as first:
        first.set_tags({"rootflow.training": "abc"})
        assert first.log_source("train", "rootflow.training", "abc") is None
    with start_run(config, "train") as again:
        again.set_tags({"rootflow.training": "abc"})
    with start_run(config, "evaluate") as run:
        assert run.log_source("train", "rootflow.training", "abc") == first.run_id
    assert client.get_run(run.run_id).data.tags["rootflow.source.train"] == first.run_id


def test_what_mlflow_refuses_is_one_line_and_a_failed_run(
    config: TtbarConfig, client: MlflowClient
) -> None:
    with (
        pytest.raises(RootflowError, match=r"refuses: .*accuracy\(v2\)"),
        start_run(config, "evaluate") as run,
    ):
        run.log_metrics({"accuracy(v2)": 1.0})
    assert client.get_run(run.run_id).info.status == "FAILED"
    assert not run.spool.exists()


@pytest.mark.usefixtures("client")
def test_run_that_does_not_exist_is_refused_in_one_line(
    config: TtbarConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", "abc")
    with pytest.raises(RootflowError, match="refuses: Run with id=abc not found"):
        start_run(config, "train").__enter__()


def test_deleted_experiment_is_refused_with_what_to_do(
    config: TtbarConfig, client: MlflowClient
) -> None:
    client.delete_experiment(client.create_experiment("ttbar"))
    with pytest.raises(RootflowError, match="'ttbar' was deleted: restore it"):
        start_run(config, "train").__enter__()


def test_terminated_step_is_shown_as_killed(client: MlflowClient) -> None:
    code = textwrap.dedent(
        """
        import os, signal
        from unittest import mock
        from rootflow import cli
        with mock.patch("rootflow.steps.preprocess.build") as build:
            build.side_effect = lambda *_: os.kill(os.getpid(), signal.SIGTERM)
            cli.main()
        """
    )
    settings = f"data.files=[{Path(__file__)}]"
    command = [sys.executable, "-c", code, "preprocess", "--config", str(TTBAR), settings]
    assert subprocess.run(command).returncode == 128 + signal.SIGTERM
    experiment = client.get_experiment_by_name("ttbar")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert [run.info.status for run in runs] == ["KILLED"]


def test_run_of_a_killed_process_is_marked_by_the_next_one(
    config: TtbarConfig, client: MlflowClient
) -> None:
    code = textwrap.dedent(
        f"""
        import os, signal
        from rootflow.analyses.ttbar import TtbarConfig
        from rootflow.tracking import start_run
        config = TtbarConfig.model_validate_json({config.model_dump_json()!r})
        with start_run(config, "train") as run:
            print(run.run_id, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    run_id = killed.stdout.strip()
    assert killed.returncode == -signal.SIGKILL
    assert client.get_run(run_id).info.status == "RUNNING"
    with start_run(config, "train"):
        assert client.get_run(run_id).info.status == "KILLED"


def test_nothing_is_lost_while_the_server_is_away_and_its_password_is_never_shown(
    config: TtbarConfig,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    port = free_port()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://student:geheim@localhost:{port}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
    server = serve(workspace, port, "server.db")
    try:
        with start_run(config, "train") as run:
            run.log_metrics({"loss": 3.0}, step=0)
            stop(server)
            run.log_metrics({"loss": 2.0}, step=1)
            run.log_text("a table", "table.txt")
            run.log_metrics({"loss": 1.0}, step=2)
            with pytest.raises(RootflowError, match="does not answer"):
                start_run(config, "evaluate", run).__enter__()
        spool = config.output / "spool" / run.run_id
        assert spool.exists()

        server = serve(workspace, port, "server.db")
        command = [sys.executable, "-m", "rootflow", "sync", str(spool)]
        subprocess.run(command, check=True, env=os.environ)
        assert not spool.exists()
        history = run.client.get_metric_history(run.run_id, "loss")
        assert [metric.value for metric in history] == [3.0, 2.0, 1.0]
        assert "table.txt" in {artifact.path for artifact in run.client.list_artifacts(run.run_id)}
        assert run.client.get_run(run.run_id).info.status == "FINISHED"
    finally:
        stop(server)
    said = capfd.readouterr()
    assert "geheim" not in said.out + said.err
