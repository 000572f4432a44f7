import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = Path(__file__).parents[1] / "configs" / "ttbar.yaml"


def rootflow(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rootflow", *arguments], cwd=cwd, capture_output=True, text=True
    )


def test_help_lists_every_step(workspace: Path) -> None:
    answer = rootflow("--help", cwd=workspace)
    assert answer.returncode == 0
    for step in ("main", "simulate", "preprocess", "train", "evaluate", "export", "tune"):
        assert f"\n  {step} " in answer.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["train", "--config", "no.yaml"], 2, "no.yaml: cannot read the configuration"),
        (["train", "--config", str(CONFIG), "model.dept=2"], 2, "did you mean depth?"),
        (["train", "--config", str(CONFIG), "--overrides", "a='"], 2, "No closing quotation"),
        (["trian"], 2, "No such command 'trian'"),
        (["registry", "show", "ttbar"], 2, "'ttbar' is not models:/NAME/VERSION"),
        (["registry", "promote", "--config", "no.yaml"], 2, "no.yaml: cannot read"),
        (["tune", "--config", str(CONFIG)], 2, "tune: the configuration has no such block"),
        (["preprocess", "--config", str(CONFIG), "data.files=[none/*.root]"], 1, "none/*.root"),
    ],
)
def test_mistake_is_one_line_with_its_exit_status(
    workspace: Path, arguments: list[str], status: int, says: str
) -> None:
    answer = rootflow(*arguments, cwd=workspace)
    assert answer.returncode == status
    assert says in answer.stderr
    assert "Traceback" not in answer.stderr
    assert answer.stdout == ""
    assert not (workspace / "outputs" / "datasets").exists()


def test_server_that_does_not_answer_is_one_line(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://student:secret@localhost:1")
    answer = rootflow("preprocess", "--config", str(CONFIG), cwd=workspace)
    assert answer.returncode == 1
    assert "http://localhost:1 does not answer" in answer.stderr
    assert "secret" not in answer.stderr
    assert "Traceback" not in answer.stderr


def test_output_that_cannot_be_written_is_one_line(workspace: Path) -> None:
    (workspace / "outputs").write_text("a file where a directory should be")
    answer = rootflow(
        "simulate", "--config", str(CONFIG), f"output={workspace / 'outputs'}", cwd=workspace
    )
    assert answer.returncode in (1, 2)
    assert f"{workspace / 'outputs'}" in answer.stderr
    assert "Traceback" not in answer.stderr
