"""Builds that are killed, that meet each other, or that find no room."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rootflow.config.data import DileptonDataConfig
from rootflow.dataset import Dataset, open_dataset
from rootflow.errors import InputError
from rootflow.files import PARTIAL
from small_datasets import build

BUILD = """
import importlib, json, resource, sys, time
from pathlib import Path
from rootflow.config.data import DileptonDataConfig
from rootflow.dataset import build
from rootflow.dataset.readings.dilepton import Dilepton
from rootflow.errors import RootflowError

files, directory, copies, largest_file, stops = json.loads(sys.argv[1])

def stop(*arguments):
    print("arrays are written", flush=True)
    time.sleep(60)

if stops:
    importlib.import_module("rootflow.dataset.build").repeated_numbers = stop
if largest_file:
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
config = DileptonDataConfig.model_validate({"weights": {"negative": "keep"}, "copies": copies})
print("ready", flush=True)
sys.stdin.readline()
try:
    paths = {"ttbar": [Path(path) for path in files]}
    print(len(build(config, paths, Path(directory), Dilepton())))
except RootflowError as error:
    print(error)
    sys.exit(error.exit_status)
"""


class Child:
    """A build in another process, which waits for `go`."""

    def __init__(
        self,
        files: list[Path],
        directory: Path,
        copies: Sequence[str] = (),
        largest_file: int = 0,
        stops: bool = False,
    ) -> None:
        asked = [list(map(str, files)), str(directory), list(copies), largest_file, stops]
        self.process = subprocess.Popen(
            [sys.executable, "-c", BUILD, json.dumps(asked)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def go(self) -> None:
        assert self.line() == "ready"
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def end(self) -> tuple[int, str]:
        out, _ = self.process.communicate(timeout=300)
        return self.process.returncode, out

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def _left(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.name != "file-digests.json")


def _bytes(dataset: Dataset) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in dataset.path.iterdir()}


@pytest.fixture
def stopped(ntuple: Path, tmp_path: Path) -> Iterator[Child]:
    """Yield a build that has written its arrays, and goes no further."""
    child = Child([ntuple], tmp_path, stops=True)
    child.go()
    assert child.line() == "arrays are written"
    yield child
    child.kill()


def test_what_a_killed_build_leaves_is_no_dataset_and_goes_with_the_next(
    config: DileptonDataConfig, ntuple: Path, tmp_path: Path, stopped: Child
) -> None:
    stopped.kill()
    (partial,) = _left(tmp_path)
    assert PARTIAL in partial
    with pytest.raises(InputError):
        open_dataset(tmp_path / partial)
    dataset = build(config, {"ttbar": [ntuple]}, tmp_path)
    assert len(dataset) == 400
    assert _left(tmp_path) == [dataset.path.name]


def test_a_build_that_lives_is_left_alone(
    config: DileptonDataConfig, ntuple: Path, tmp_path: Path, stopped: Child
) -> None:
    (partial,) = _left(tmp_path)
    dataset = build(config, {"ttbar": [ntuple]}, tmp_path)
    assert stopped.process.poll() is None
    assert _left(tmp_path) == sorted([partial, dataset.path.name])


def test_builds_killed_at_any_moment_leave_the_same_result(
    config: DileptonDataConfig, ttbar_files: list[Path], ttbar_dataset: Dataset, tmp_path: Path
) -> None:
    expected = _bytes(ttbar_dataset)
    for delay in (0.02, 0.1, 0.2, 0.3):
        child = Child(ttbar_files, tmp_path)
        child.go()
        time.sleep(delay)
        child.kill()
        for name in _left(tmp_path):
            assert PARTIAL in name or _bytes(open_dataset(tmp_path / name)) == expected
    dataset = build(config, {"ttbar": ttbar_files}, tmp_path)
    assert _bytes(dataset) == expected


def test_builds_at_the_same_time_leave_one_good_dataset(
    ttbar_files: list[Path], ttbar_dataset: Dataset, tmp_path: Path
) -> None:
    children = [Child(ttbar_files, tmp_path) for _ in range(2)]
    for child in children:
        child.go()
    assert [child.end() for child in children] == [(0, "20000\n")] * 2
    assert _left(tmp_path) == [ttbar_dataset.manifest.digest]
    assert _bytes(open_dataset(tmp_path / ttbar_dataset.manifest.digest)) == _bytes(ttbar_dataset)


def test_a_full_disk(ttbar_files: list[Path], tmp_path: Path) -> None:
    """No file may grow beyond a megabyte: the write itself fails, as on a full disk."""
    child = Child(ttbar_files, tmp_path, largest_file=1_000_000)
    child.go()
    assert child.end() == (1, f"{tmp_path}: cannot write the dataset: File too large\n")
    assert _left(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
def test_a_file_system_without_room(
    config: DileptonDataConfig, ttbar_files: list[Path], tmp_path: Path
) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(tmp_path)], check=False
    )
    if mounted.returncode != 0:
        pytest.skip("nothing may be mounted here")
    try:
        with pytest.raises(InputError, match=r"cannot write the dataset: No space left on device"):
            build(config, {"ttbar": ttbar_files}, tmp_path)
        assert _left(tmp_path) == []
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize("file_format", ["root", "rntuple", "parquet", "npz"])
def test_a_copy_without_room(
    config: DileptonDataConfig, ntuple: Path, tmp_path: Path, file_format: str
) -> None:
    dataset = build(config, {"ttbar": [ntuple]}, tmp_path)
    child = Child([ntuple], tmp_path, copies=[file_format], largest_file=10_000)
    child.go()
    status, said = child.end()
    assert status == 1
    assert said.startswith(f"{tmp_path}: cannot write the dataset: ")
    assert "File too large" in said
    assert _left(tmp_path) == [dataset.path.name]
