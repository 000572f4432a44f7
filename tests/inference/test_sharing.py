"""Several processes, and work that is killed and goes on."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import uproot

from rootflow.errors import InputError, RootflowError
from rootflow.exported.folds import model_files
from rootflow.inference.application import Application, Setting
from rootflow.inference.files import apply_to_files
from rootflow.inference.pieces import Piece, Scoring

SLOW = """
import sys, time
from pathlib import Path
from rootflow.inference.application import Application, Setting
from rootflow.inference.files import apply_to_files

if __name__ == "__main__":
    quick = Application.columns

    def slow(self, *arguments):
        time.sleep(0.3)
        return quick(self, *arguments)

    Application.columns = slow
    import rootflow.inference.pieces as pieces
    pieces.ENTRIES_AT_MOST = 100
    ntuple, output, *models = map(Path, sys.argv[1:])
    apply_to_files(Setting(tuple(models)), [ntuple], output, origin={"sha256": "same"})
"""


@pytest.fixture(autouse=True)
def _many_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rootflow.inference.pieces.ENTRIES_AT_MOST", 100)
    monkeypatch.setattr("rootflow.inference.pieces.ENTRIES_WORTH_A_PROCESS", 100)


def contents(path: Path) -> dict[str, list[object]]:
    with uproot.open(path) as file:
        return {name: array.tolist() for name, array in file["reco"].arrays(how=dict).items()}


@pytest.fixture(scope="module")
def setting(ttbar_folds: Path) -> Setting:
    return Setting(tuple(model_files([ttbar_folds])))


@pytest.fixture(scope="module")
def alone(setting: Setting, ntuple: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what one process makes without being disturbed."""
    path = tmp_path_factory.mktemp("alone") / "out.root"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rootflow.inference.pieces.ENTRIES_AT_MOST", 100)
        apply_to_files(setting, [ntuple], path, origin={"sha256": "same"})
    return path


def test_two_processes_write_what_one_writes(
    setting: Setting, ntuple: Path, alone: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.root"
    apply_to_files(setting, [ntuple], output, origin={"sha256": "same"}, workers=2)
    # By their text: no number is unlike itself there.
    assert str(contents(output)) == str(contents(alone))
    assert list(tmp_path.iterdir()) == [output]


def test_what_a_worker_refuses_is_said(ttbar_folds: Path, ntuple: Path, tmp_path: Path) -> None:
    setting = Setting(tuple(model_files([ttbar_folds])[:1]))
    with pytest.raises(InputError, match="small was trained on"):
        apply_to_files(setting, [ntuple], tmp_path / "out.root", origin={"sha256": ""}, workers=2)
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_dies_is_said(
    setting: Setting, ntuple: Path, alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score, output = Scoring.score, tmp_path / "out.root"

    def killing(self: Scoring, piece: Piece) -> None:
        score(self, piece)
        for child in multiprocessing.active_children():
            child.kill()

    with monkeypatch.context() as patch:
        patch.setattr(Scoring, "score", killing)
        with pytest.raises(RootflowError, match=r"a worker died, .* start again to go on"):
            apply_to_files(setting, [ntuple], output, origin={"sha256": "same"}, workers=2)
    assert not output.exists()
    assert list(tmp_path.glob(".out.root.apply-*/[!.]*.npz")) != []
    apply_to_files(setting, [ntuple], output, origin={"sha256": "same"})
    assert str(contents(output)) == str(contents(alone))


def test_killed_work_goes_on(
    setting: Setting, ntuple: Path, alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out.root"
    work = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(ntuple), str(output), *map(str, setting.models)]
    )
    deadline = time.monotonic() + 200
    while len(done := list(tmp_path.glob(".out.root.apply-*/[!.]*.npz"))) < 4:
        assert work.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(work.pid, signal.SIGKILL)
    work.wait()
    assert not output.exists()
    again = []
    columns = Application.columns

    def counted(self: Application, *arguments: object) -> object:
        again.append(arguments)
        return columns(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Application, "columns", counted)
    apply_to_files(setting, [ntuple], output, origin={"sha256": "same"})
    assert 0 < len(again) <= 15 - len(done)
    assert str(contents(output)) == str(contents(alone))
    assert list(tmp_path.iterdir()) == [output]


def test_an_answered_question_is_not_asked_again(
    setting: Setting, ntuple: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.root"
    first = apply_to_files(setting, [ntuple], output, origin={"sha256": "same"})
    written = output.stat().st_mtime_ns
    assert apply_to_files(setting, [ntuple], output, origin={"sha256": "same"}) == first
    assert output.stat().st_mtime_ns == written
    other = setting._replace(name="other")
    apply_to_files(other, [ntuple], output, origin={"sha256": "same"})
    assert output.stat().st_mtime_ns > written
    assert "other_fold" in contents(output)
