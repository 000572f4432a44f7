"""What goes wrong as a file is read is the file's fault only where it is."""

import io
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
from pyarrow import csv

from rootflow.config.data import DileptonDataConfig
from rootflow.errors import InputError, RootflowError
from rootflow.formats import faults, find_files, open_table
from rootflow.ntuple import load_branch_map, read_chunks
from small_datasets import build

ROOT_FILE = Path(__file__).parents[2] / "data" / "ttbar" / "ttbar_s42_000.root"
TABLE = "a,b\n1,2\n3,4\n"


def _read(path: Path = ROOT_FILE) -> int:
    chunks = read_chunks(path, load_branch_map("topcptoolkit"), 2**16)
    return len(next(chunks))


def _column(path: Path, name: str) -> Any:
    with open_table(path) as table:
        return next(table.chunks([name], 1000))[1][name]


def _raises(error: Exception) -> Callable[..., Any]:
    def function(*_: Any, **__: Any) -> Any:
        raise error

    return function


@pytest.mark.parametrize("error", [TypeError, AttributeError, KeyError, ValueError, RuntimeError])
@pytest.mark.parametrize(
    "where",
    [
        "uproot.open",  # uproot is called wrongly, or is another one
        "rootflow.formats.root._find_tree",  # a mistake of the reader's own
        "uproot.behaviors.TBranch.HasBranches.arrays",
        "uproot.source.cursor.Cursor.bytes",  # a mistake deep inside uproot
        "uproot.interpretation.numerical.AsDtype.basket_array",
    ],
)
def test_a_mistake_of_the_reader_is_not_taken_for_a_broken_file(
    monkeypatch: pytest.MonkeyPatch, where: str, error: type[Exception]
) -> None:
    monkeypatch.setattr(where, _raises(error("a mistake")))
    with pytest.raises(error, match="a mistake"):
        _read()


def test_what_a_new_uproot_lacks_or_takes_otherwise_is_told_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.delattr(uproot, "open")
        with pytest.raises(AttributeError, match="open"):
            _read()
    with monkeypatch.context() as patch:
        patch.setattr(uproot, "open", lambda path: path)
        with pytest.raises(TypeError, match="array_cache"):
            _read()
    with monkeypatch.context() as patch:
        patch.setattr(uproot.source.cursor.Cursor, "fields", None)
        with pytest.raises(TypeError, match="not callable"):
            _read()
    with monkeypatch.context() as patch:
        patch.setattr(uproot, "open", _raises(ImportError("install xxhash")))
        with pytest.raises(ImportError, match="install xxhash"):
            _read()
    assert _read() > 0


@pytest.mark.parametrize(
    "where", ["uproot.open", "uproot.interpretation.numerical.AsDtype.basket_array"]
)
def test_too_little_memory_is_said(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.setattr(where, _raises(MemoryError("Unable to allocate 8 TiB")))
    with pytest.raises(RootflowError, match="not enough memory to read it: Unable to allocate"):
        _read()


def test_what_the_system_says_of_a_file_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uproot.open", _raises(OSError(24, "Too many open files")))
    with pytest.raises(InputError, match="cannot read it: Too many open files"):
        _read()


def test_tables_are_read_in_the_same_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    assert len(_column(path, "b")) == 2
    for error, raised, says in (
        (MemoryError("malloc"), RootflowError, "not enough memory"),
        (TypeError("a mistake"), TypeError, "a mistake"),
        (KeyError("a mistake"), KeyError, "a mistake"),
        (OSError(5, "Input/output error"), InputError, "cannot read it: Input/output error"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(csv, "open_csv", _raises(error))
            with pytest.raises(raised, match=says):
                _column(path, "b")


@pytest.mark.parametrize("header", ["a,a,b", "a,b,b", "b,a,a"])
def test_a_name_of_two_columns_is_told(tmp_path: Path, header: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f"{header}\n1,2,3\n")
    twice = "a" if header.count("a") == 2 else "b"
    with pytest.raises(InputError, match=f"two columns are named '{twice}'"):
        _column(path, "a")


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_device_or_a_pipe_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    signal.alarm(30)  # ends the test, where it waits for ever
    config = DileptonDataConfig.model_validate({"weights": {"negative": "keep"}})
    for name in ("in.root", "in.csv"):
        path = tmp_path / name
        if kind == "pipe":
            os.mkfifo(path)
        else:
            path.symlink_to("/dev/zero")
        with pytest.raises(InputError, match="cannot read it: it is a device or a pipe"):
            _read(path)
        with pytest.raises(InputError, match="cannot read it: it is a device or a pipe"):
            _column(path, "b")
        with pytest.raises(InputError, match="cannot read it: it is a device or a pipe"):
            build(config, {"ttbar": find_files([str(path)])}, tmp_path / "out")
    signal.alarm(0)


@pytest.mark.parametrize(
    "pattern", ["", "a\0b", "**a", "~nobody-here/x", "x" * 300, "[", "a/" * 3000, "/", "."]
)
def test_no_pattern_of_files_is_a_traceback(pattern: str) -> None:
    if Path(pattern).name:
        with pytest.raises(InputError, match=r"data\.files"):
            find_files([pattern])
    else:
        with pytest.raises(InputError, match="it is a folder, not a file"):
            _read(*find_files([pattern]))


def test_a_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.root")).write_bytes(b"root")
    with pytest.raises(InputError, match=r"udcff\.root' has a name that is no UTF-8 text"):
        find_files([str(tmp_path / "*.root")])


def test_the_control_of_uproot_is_a_whole_file() -> None:
    with uproot.open(io.BytesIO(faults._whole_file())) as file:
        assert np.asarray(file["tree"]["number"].array()).tolist() == [0, 1]
