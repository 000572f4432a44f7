"""Apply a model to files of servers, and have servers take what it says."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import uproot
from click.testing import CliRunner

from far import HttpServer, XRootDServer
from ntuples import read_branches, read_tree, write_ntuple
from rootflow.commands.apply import apply
from rootflow.errors import RootflowError, UsageError
from rootflow.places.access import PATIENCE

EVENTS = 1_500


@pytest.fixture(scope="module")
def small(ttbar_files: list[Path], served: Path) -> Path:
    """Return a small ntuple in the folder that is served."""
    return write_ntuple(served / "small.root", read_branches(ttbar_files[0], EVENTS))


@pytest.fixture
def taken(served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return where servers put what they take, with a cache of one's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = served / "taken"
    folder.mkdir()
    yield folder
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def _apply(model: Path, *words: str) -> dict[str, object]:
    arguments = ["--model", str(model), "--workers", "1", "--json", *words]
    answer = CliRunner().invoke(apply, arguments, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    said: dict[str, object] = json.loads(answer.stdout)
    return said


@pytest.mark.parametrize("far", ["xrootd", "secure"])
def test_from_and_to_a_server(
    far: str,
    ttbar_folds: Path,
    small: Path,
    taken: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    server: XRootDServer | HttpServer = request.getfixturevalue(far)
    _apply(ttbar_folds, str(small), str(tmp_path / "out.root"))
    url = server.url(f"{taken.name}/out.root")
    said = _apply(ttbar_folds, server.url(small.name), url)
    assert said["output"] == url
    assert [path.name for path in taken.iterdir()] == ["out.root"]
    here, there = (read_tree(path, "reco") for path in (tmp_path / "out.root", taken / "out.root"))
    assert here.keys() == there.keys()
    assert all(here[name].to_list() == there[name].to_list() for name in here)
    assert list((tmp_path / "cache" / "rootflow").iterdir()) == []

    before = (taken / "out.root").stat()
    assert _apply(ttbar_folds, server.url(small.name), url) == said
    assert (taken / "out.root").stat() == before
    _apply(ttbar_folds, "--name", "other", server.url(small.name), url)
    assert any(name.startswith("other_") for name in read_tree(taken / "out.root", "reco"))


def test_a_folder_of_outputs(
    ttbar_folds: Path, small: Path, taken: Path, xrootd: XRootDServer
) -> None:
    said = _apply(ttbar_folds, xrootd.url("sm*.root"), xrootd.url(taken.name))
    assert said["written"] == EVENTS
    assert [path.name for path in taken.iterdir()] == [small.name]


def test_a_file_of_another_is_not_written_over(
    ttbar_folds: Path, small: Path, taken: Path, xrootd: XRootDServer
) -> None:
    with uproot.recreate(taken / "out.root") as file:
        file["text"] = "of somebody else"
    url = xrootd.url(f"{taken.name}/out.root")
    with pytest.raises(UsageError, match=f"{url}: is there and was not written by rootflow apply"):
        _apply(ttbar_folds, str(small), url)
    with pytest.raises(UsageError, match="is read and cannot be written, too"):
        _apply(ttbar_folds, xrootd.url(small.name), xrootd.url(small.name))


def test_what_cannot_be_delivered_is_kept(
    ttbar_folds: Path,
    small: Path,
    taken: Path,
    xrootd: XRootDServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(PATIENCE, "1")
    url = xrootd.url(f"{taken.name}/out.root")
    taken.chmod(0o555)
    try:
        with pytest.raises(RootflowError, match=r"cannot write it: root://.* the server does not"):
            _apply(ttbar_folds, str(small), url)
    finally:
        taken.chmod(0o755)
    (kept,) = (tmp_path / "cache" / "rootflow").iterdir()
    (piece,) = kept.glob("*.npz")
    assert piece.stat().st_size > 0
    _apply(ttbar_folds, str(small), url)
    assert [path.name for path in taken.iterdir()] == ["out.root"]
    assert list((tmp_path / "cache" / "rootflow").iterdir()) == []
