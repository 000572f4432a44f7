"""Which file is which, and what `apply` noted in it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rootflow.errors import InputError
from rootflow.formats.lineage import (
    NOTE,
    identity_of,
    read_applied,
    refuse_beside_sources,
    sources_of,
)
from rootflow.formats.writing import SUFFIXES, Format, table_writer

FORMATS = ["ttree", "rntuple", "parquet"]


def write(path: Path, file_format: Format, number: int = 1, note: str | None = None) -> Path:
    with table_writer(path, file_format) as writer:
        writer.extend({"x": np.full(10, number)})
        if note is not None:
            writer.note(NOTE, note)
    return path


def write_text(path: Path, number: int = 1) -> Path:
    path.write_text(f"x\n{number}\n")
    return path


def write_hdf5(path: Path, number: int = 1) -> Path:
    import h5py

    with h5py.File(path, "w") as file:
        file["x"] = np.full(10, number)
    return path


INPUTS: dict[str, Callable[..., Path]] = {
    "a.root": lambda path, number=1: write(path, "ttree", number),
    "n.root": lambda path, number=1: write(path, "rntuple", number),
    "a.parquet": lambda path, number=1: write(path, "parquet", number),
    "a.csv": write_text,
    "a.h5": write_hdf5,
}


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_note_is_read_again(tmp_path: Path, file_format: Format) -> None:
    path = tmp_path / f"out{SUFFIXES[file_format]}"
    assert read_applied(write(path, file_format, note='{"said": "text"}')) == {"said": "text"}
    assert read_applied(write(path, file_format, note="no JSON")) == {}
    assert read_applied(write(path, file_format)) is None
    path.write_bytes(path.read_bytes()[:-30])
    assert read_applied(path) is None
    assert read_applied(tmp_path / "absent.root") is None


@pytest.mark.parametrize("name", INPUTS)
def test_a_file_is_known_wherever_it_is(tmp_path: Path, name: str) -> None:
    path = INPUTS[name](tmp_path / name)
    other = INPUTS[name](tmp_path / f"other-{name}", 2)
    known = identity_of(path)
    assert identity_of(Path(shutil.copy(path, tmp_path / f"copy-{name}"))) == known
    assert identity_of(other) != known
    assert sources_of([path, other]) == {known: str(path), identity_of(other): str(other)}


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("file_format", FORMATS)
def test_events_do_not_count_twice(tmp_path: Path, name: str, file_format: Format) -> None:
    import json

    path = INPUTS[name](tmp_path / name)
    other = INPUTS[name](tmp_path / f"other-{name}", 2)
    outs = [
        write(tmp_path / f"{place}{SUFFIXES[file_format]}", file_format, place, note)
        for place in range(2)
        for note in [json.dumps({"sources": sources_of([path])})]
    ]
    refuse_beside_sources([path, other])
    refuse_beside_sources([outs[0], other])
    with pytest.raises(InputError, match=r"wrote it from .*, which is read, too: its events would"):
        refuse_beside_sources([other, outs[0], path])
    with pytest.raises(InputError, match=rf"wrote it from .*{name}, as it did .*: its events"):
        refuse_beside_sources([*outs, other])


def test_ends_of_a_large_file_tell_it_from_others(tmp_path: Path) -> None:
    content = bytearray(b"x,y\n" + b"1,2\n" * 2**20)
    paths = [tmp_path / f"{place}.csv" for place in range(4)]
    for path, place in zip(paths, (None, 4, len(content) - 2), strict=False):
        if place is not None:
            content[place : place + 1] = b"7"
        path.write_bytes(content)
    paths[3].write_bytes(content + b"1,2\n")
    assert len(set(map(identity_of, paths))) == 4
