import os
import subprocess
import sys
from pathlib import Path

import pytest

from rootflow.cli import main

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
        (["registry", "show", f"models:/ttbar/{'9' * 21}"], 2, "has a version of so large"),
        (["registry", "show", "models:/ttbar/2147483648"], 2, "has a version of so large"),
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


IN_ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_names_are_utf8_whatever_the_locale_is(workspace: Path) -> None:
    folder = workspace / "Électrons"
    folder.mkdir()
    config = folder / "é.yaml"
    config.write_text(f"# ±\nbase: {CONFIG}\ndata: {{files: [Électrons/é.root]}}\n")
    (folder / "é.root").write_bytes(b"not ROOT")
    answer = subprocess.run(
        [sys.executable, "-m", "rootflow", "preprocess", "--config", str(config), "output=ö"],
        cwd=workspace,
        capture_output=True,
        env={**os.environ, **IN_ASCII},
    )
    said = answer.stderr.decode()
    assert answer.returncode == 1, said
    assert "rootflow: Électrons/é.root: not a whole ROOT file" in said
    assert "Traceback" not in said


def test_a_word_that_is_no_text_is_one_line(workspace: Path) -> None:
    words = [sys.executable, "-m", "rootflow", "preprocess", b"output=\xff"]
    answer = subprocess.run(words, cwd=workspace, capture_output=True)
    assert answer.returncode == 2
    assert answer.stderr == b"rootflow: 'output=\\udcff' is no UTF-8 text\n"


def test_too_little_memory_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def preprocess(*_: object) -> None:
        raise MemoryError("Unable to allocate 8 TiB")

    monkeypatch.setattr("rootflow.steps.preprocess.run", preprocess)
    monkeypatch.setattr(sys, "argv", ["rootflow", "preprocess", "--config", str(CONFIG)])
    for name in ("signal.signal", "gc.set_threshold", "atexit.register"):
        monkeypatch.setattr(name, lambda *_: None)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    said = capsys.readouterr().err
    assert said == "rootflow: there is not enough memory: Unable to allocate 8 TiB\n"


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
