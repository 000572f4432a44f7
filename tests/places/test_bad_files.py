"""Bad files, and friends of trees, of servers."""

from pathlib import Path

import pytest

from far import HttpServer
from ntuples import Branches, write_ntuple
from real_root import ask_root
from rootflow.config.data import DileptonDataConfig
from rootflow.errors import AwayError
from rootflow.places import Remote
from small_datasets import build


def _config() -> DileptonDataConfig:
    return DileptonDataConfig.model_validate({"weights": {"negative": "keep"}, "bad_files": "skip"})


def test_bad_files_are_skipped_and_friends_are_read(
    branches: Branches, web: HttpServer, served: Path, tmp_path: Path
) -> None:
    folder = served / "friends"
    folder.mkdir()
    write_ntuple(folder / "uproot.root", branches)
    ask_root("again", folder, "uproot.root", "reco")
    (folder / "empty.root").touch()
    names = ("empty.root", "half.root", "gone.root")
    here = build(_config(), {"ttbar": [folder / name for name in names]}, tmp_path / "here")
    urls = [Remote(web.url(f"friends/{name}")) for name in names]
    there = build(_config(), {"ttbar": urls}, tmp_path / "there")
    assert there.manifest.digest == here.manifest.digest
    assert there.manifest.arrays == here.manifest.arrays
    (sample,) = there.manifest.samples
    assert [file.friends for file in sample.files] == [(web.url("friends/rest.root"),)]
    assert [(file.path, file.reason) for file in sample.skipped_files] == [
        (web.url("friends/empty.root"), "the file is empty"),
        (web.url("friends/gone.root"), "there is no such file"),
    ]


def test_a_server_that_is_away_has_no_bad_files(
    tmp_path: Path, ttbar_files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOTFLOW_PATIENCE", "0")
    away = Remote("http://127.0.0.1:1/a.root")
    with pytest.raises(AwayError, match="the server is away"):
        build(_config(), {"ttbar": [*ttbar_files, away]}, tmp_path / "out")
