from pathlib import Path

import pytest

from rootflow.config.batch import profile_of
from rootflow.errors import RootflowError
from rootflow.tracking.connection import connect, login_of_jobs, redacted


def test_store_is_made_in_the_working_directory(workspace: Path) -> None:
    connect()
    assert (workspace / "mlflow.db").exists()


@pytest.mark.usefixtures("workspace")
def test_server_that_does_not_answer_is_one_clear_line_without_the_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://student:secret@localhost:1")
    with pytest.raises(RootflowError) as failure:
        connect()
    message = str(failure.value)
    assert "http://localhost:1 does not answer" in message
    assert "MLFLOW_TRACKING_URI" in message
    assert "secret" not in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://user:secret@host:5000/path?token=x", "https://host:5000/path"),
        ("postgresql+psycopg2://user:secret@db/mlflow", "postgresql+psycopg2://db/mlflow"),
        ("sqlite:////home/user/mlflow.db", "sqlite:////home/user/mlflow.db"),
        ("postgresql://user:a/secret@db/mlflow?sslkey=x", "postgresql://db/mlflow"),
        ("http://localhost:5000", "http://localhost:5000"),
    ],
)
def test_redacted_keeps_the_place_and_drops_the_secrets(uri: str, shown: str) -> None:
    assert redacted(uri) == shown


def test_jobs_get_the_login_that_they_need(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = "https://tracking.example.org"
    kept = workspace / ".mlflow" / "credentials"
    kept.parent.mkdir()
    kept.write_text(
        "[mlflow]\nmlflow_tracking_username = ada\nmlflow_tracking_password = of-file\n"
    )
    monkeypatch.setenv("HOME", str(workspace))
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "of-environment")
    assert login_of_jobs(profile_of({}, "test"), uri) == {
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_TRACKING_USERNAME": "ada",
        "MLFLOW_TRACKING_PASSWORD": "of-file",
        "MLFLOW_TRACKING_TOKEN": "of-environment",
    }
    alone = profile_of({"credentials": []}, "test")
    assert login_of_jobs(alone, uri) == {"MLFLOW_TRACKING_URI": uri}
    assert login_of_jobs(profile_of({"tracking": "spool"}, "test"), uri) == {}
