"""Several processes, and work that is killed and goes on."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rootflow.errors import InputError, RootflowError
from rootflow.exported.folds import model_files
from rootflow.formats.writing import SUFFIXES, Format
from rootflow.inference.application import Application, Setting
from rootflow.inference.files import apply_to_files
from rootflow.inference.pieces import Piece, Scoring
from rootflow.inference.plan import Copying
from written_files import read_written

SLOW = """
import sys, time
from pathlib import Path
from rootflow.inference.application import Application, Setting
from rootflow.inference.files import apply_to_files
from rootflow.inference.plan import Copying

if __name__ == "__main__":
    quick = Application.columns

    def slow(self, *arguments):
        time.sleep(0.3)
        return quick(self, *arguments)

    Application.columns = slow
    import rootflow.inference.pieces as pieces
    pieces.ENTRIES_AT_MOST = 100
    file_format, *paths = sys.argv[1:]
    ntuple, output, *models = map(Path, paths)
    copying = Copying(file_format=file_format)
    apply_to_files(
        Setting(tuple(models)), [ntuple], output, origin={"sha256": "same"}, copying=copying
    )
"""


@pytest.fixture(autouse=True)
def _many_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rootflow.inference.pieces.ENTRIES_AT_MOST", 100)
    monkeypatch.setattr("rootflow.inference.pieces.ENTRIES_WORTH_A_PROCESS", 100)


def contents(path: Path, file_format: Format = "ttree") -> list[str]:
    # By their text: no number is unlike itself there.
    return list(map(str, read_written(path, file_format, "reco").to_list()))


@pytest.fixture(scope="module")
def setting(ttbar_folds: Path) -> Setting:
    return Setting(tuple(model_files([ttbar_folds])))


@pytest.fixture(scope="module", params=["ttree", "rntuple", "parquet"])
def file_format(request: pytest.FixtureRequest) -> Format:
    chosen: Format = request.param
    return chosen


@pytest.fixture(scope="module")
def alone(
    setting: Setting, ntuple: Path, file_format: Format, tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """Return what one process makes without being disturbed."""
    path = tmp_path_factory.mktemp("alone") / f"out{SUFFIXES[file_format]}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rootflow.inference.pieces.ENTRIES_AT_MOST", 100)
        apply(setting, ntuple, path, file_format)
    return contents(path, file_format)


def apply(
    setting: Setting, ntuple: Path, output: Path, file_format: Format, workers: int = 1
) -> None:
    apply_to_files(
        setting,
        [ntuple],
        output,
        origin={"sha256": "same"},
        copying=Copying(file_format=file_format),
        workers=workers,
    )


def test_two_processes_write_what_one_writes(
    setting: Setting, ntuple: Path, alone: list[str], file_format: Format, tmp_path: Path
) -> None:
    output = tmp_path / f"out{SUFFIXES[file_format]}"
    apply(setting, ntuple, output, file_format, workers=2)
    assert contents(output, file_format) == alone
    assert list(tmp_path.iterdir()) == [output]


def test_what_a_worker_refuses_is_said(ttbar_folds: Path, ntuple: Path, tmp_path: Path) -> None:
    setting = Setting(tuple(model_files([ttbar_folds])[:1]))
    with pytest.raises(InputError, match="small was trained on"):
        apply_to_files(setting, [ntuple], tmp_path / "out.root", origin={"sha256": ""}, workers=2)
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_dies_is_said(
    setting: Setting,
    ntuple: Path,
    alone: list[str],
    file_format: Format,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    score, output = Scoring.score, tmp_path / f"out{SUFFIXES[file_format]}"

    def killing(self: Scoring, piece: Piece) -> None:
        score(self, piece)
        for child in multiprocessing.active_children():
            child.kill()

    with monkeypatch.context() as patch:
        patch.setattr(Scoring, "score", killing)
        with pytest.raises(RootflowError, match=r"a worker died, .* start again to go on"):
            apply(setting, ntuple, output, file_format, workers=2)
    assert not output.exists()
    assert list(tmp_path.glob(f".{output.name}.apply-*/[!.]*.npz")) != []
    apply(setting, ntuple, output, file_format)
    assert contents(output, file_format) == alone


def test_killed_work_goes_on(
    setting: Setting,
    ntuple: Path,
    alone: list[str],
    file_format: Format,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output = tmp_path / f"out{SUFFIXES[file_format]}"
    work = subprocess.Popen(
        [sys.executable, "-c", SLOW, file_format, ntuple, output, *setting.models]
    )
    deadline = time.monotonic() + 200
    while len(done := list(tmp_path.glob(f".{output.name}.apply-*/[!.]*.npz"))) < 4:
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
    apply(setting, ntuple, output, file_format)
    assert 0 < len(again) <= 15 - len(done)
    assert contents(output, file_format) == alone
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
    assert "other_fold" in contents(output)[0]
