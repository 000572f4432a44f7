"""Nothing that is written or said has what lets one read."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from far import HttpServer

PROJECT = Path(__file__).parents[2]
SECRET = "c2VjcmV0LW9mLWEtdG9rZW4"  # noqa: S105 - of no server


Said = subprocess.CompletedProcess[str]


def _preprocess(url: str, workspace: Path, **environment: str) -> Said:
    config = str(PROJECT / "configs" / "ttbar.yaml")
    return subprocess.run(
        [sys.executable, "-m", "rootflow", "preprocess", "--config", config, f"data.files=[{url}]"],
        env=os.environ | {"MLFLOW_TRACKING_URI": "sqlite:///mlflow.db", **environment},
        capture_output=True,
        text=True,
        cwd=workspace,
    )


def _without_secret(said: Said, workspace: Path) -> None:
    assert SECRET not in said.stdout + said.stderr
    files = [path for path in workspace.rglob("*") if path.is_file()]
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("by_environment", [False, True])
def test_a_whole_step(
    secure: HttpServer,
    workspace: Path,
    by_environment: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(secure, "token", SECRET)
    monkeypatch.setattr(secure, "statuses", [503])
    query = "?$SIGNATURE" if by_environment else f"?X-Amz-Signature={SECRET}"
    url = secure.url("ttbar_0.root")
    of_signature = {"SIGNATURE": f"X-Amz-Signature={SECRET}"} if by_environment else {}
    said = _preprocess(url + query, workspace, BEARER_TOKEN=SECRET, **of_signature)
    assert said.returncode == 0, said.stderr
    assert "it answers 503" in said.stderr
    assert any(SECRET in path for path, _ in secure.received)
    manifests = list(workspace.rglob("manifest.json"))
    assert manifests
    assert all(url in path.read_text() for path in manifests)
    assert (workspace / "mlflow.db").exists()
    _without_secret(said, workspace)


def test_what_goes_wrong(
    secure: HttpServer, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secure, "token", "another")
    for name in ("ttbar_0.root", "nothing.root", "nothing*.root"):
        url = f"{secure.url(name)}?signature={SECRET}"
        said = _preprocess(url, workspace, BEARER_TOKEN=SECRET, ROOTFLOW_PATIENCE="1")
        assert said.returncode == 1
        assert len(said.stderr.strip().splitlines()) == 1, said.stderr
        _without_secret(said, workspace)
    said = _preprocess(secure.url("ttbar_0.root").replace("//", f"//me:{SECRET}@"), workspace)
    assert said.returncode == 2
    _without_secret(said, workspace)
