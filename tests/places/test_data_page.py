"""Every command of docs/data.md runs, on files of the formats and at the places that it names."""

import shutil
from pathlib import Path

import pytest

from far import HttpServer, XRootDServer
from ntuples import Branches, read_branches, write_ntuple
from other_formats import FORMATS
from rootflow.cli import cli
from rootflow.dataset import open_dataset
from snippets import BLOCKS, PROJECT

COMMANDS = [
    words
    for block in BLOCKS
    if block.page == "docs/data.md" and block.language == "sh"
    for words in block.commands()
]
EVENTS = 300
SKIMS = {"ttbar": "Parquet", "delphes": "Delphes", "spanet": "SPANet", "nano": "NanoAOD"}


@pytest.fixture(scope="module")
def few(ttbar_files: list[Path]) -> Branches:
    return read_branches(ttbar_files[0], EVENTS)


@pytest.fixture(scope="module")
def place(few: Branches, served: Path, empty_store: Path) -> Path:
    """Return a folder as the reader of the page has it, below that of the servers."""
    folder = served / "store"
    folder.mkdir()
    for number, part in enumerate((slice(0, EVENTS // 2), slice(EVENTS // 2, EVENTS))):
        halves = {name: array[part] for name, array in few.items()}
        write_ntuple(folder / f"ttbar_{number}.root", halves)
    skims = folder / "skims"
    skims.mkdir()
    for name, kind in SKIMS.items():
        FORMATS[kind].write(skims / f"{name}{FORMATS[kind].suffix}", few)
    for number in (0, 1):
        shutil.copy(folder / f"ttbar_{number}.root", skims / f"part_{number}.root")
    (skims / "part_2.root").write_bytes((skims / "part_1.root").read_bytes()[:1000])
    for name in ("configs", "benchmarks", "data"):
        (folder / name).symlink_to(PROJECT / name)
    shutil.copy(empty_store, folder / "mlflow.db")
    return folder


@pytest.fixture
def servers(xrootd: XRootDServer, secure: HttpServer) -> dict[str, str]:
    """Return where files are that the page names elsewhere."""
    return {
        "root://eos.example.org//store": xrootd.url("store"),
        "https://data.example.org": secure.url("store"),
    }


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_of_the_page(
    words: list[str],
    place: Path,
    servers: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for named, there in servers.items():
        words = [word.replace(named, there) for word in words]
    if words[0] == "mlflow":  # of its chain the step that reads
        settings = words[-1].removeprefix("overrides=")
        words = ["rootflow", "preprocess", "--config", "configs/ttbar.yaml", settings]
    assert words[0] == "rootflow"
    monkeypatch.chdir(place)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{place / 'mlflow.db'}")
    cli.main([*words[1:], f"output={tmp_path}"], standalone_mode=False)
    [manifest] = tmp_path.glob("datasets/*/manifest.json")
    assert len(open_dataset(manifest.parent)) in (EVENTS, EVENTS // 2)
