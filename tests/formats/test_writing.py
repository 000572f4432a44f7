"""What is written is read again by the libraries of each format."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from rootflow.formats import open_table
from rootflow.formats.branches import branches_of
from rootflow.formats.writing import SUFFIXES, Format, TableWriter, table_writer
from written_files import note_of, parts_of, read_written

KINDS = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
KINDS += ["float32", "float64"]
PARTS = ((0, 7), (7, 55), (55, 60))


@pytest.fixture(params=["ttree", "rntuple", "parquet"])
def file_format(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Format:
    """Return each format, of which what is given at once is a part of the file."""
    monkeypatch.setattr("rootflow.formats.writing.PART_ENTRIES", 1)
    monkeypatch.setattr(TableWriter, "part_bytes", 1)
    chosen: Format = request.param
    return chosen


def test_what_is_copied_is_what_was_there(
    tree_file: Path, tmp_path: Path, file_format: Format
) -> None:
    output = tmp_path / f"out{SUFFIXES[file_format]}"
    with open_table(tree_file) as tree:
        branches = branches_of(tree, file_format=file_format)
        with table_writer(output, file_format, "t", "title", branches.lists, 3) as writer:
            writer.note("before", "one")
            for start, stop in PARTS:
                writer.extend(branches.read(tree, start, stop))
            writer.note("after", "two")
    before, after = read_written(tree_file, "ttree", "t"), read_written(output, file_format, "t")
    assert set(after.fields) == set(before.fields)
    for name in before.fields:
        assert ak.array_equal(before[name], after[name]), name
    assert parts_of(output, file_format, "t") == [stop - start for start, stop in PARTS]
    assert note_of(output, "before") == "one"
    assert note_of(output, "after") == "two"


def every_kind(count: int) -> dict[str, Any]:
    """Return numbers of each type, alone, in arrays of fixed length and in lists."""
    counts = np.arange(count) % 3
    columns: dict[str, Any] = {}
    for kind in KINDS:
        numbers = np.arange(3 * count) % 100
        columns[kind] = numbers[:count].astype(kind)
        columns[f"three_{kind}"] = numbers.reshape(count, 3).astype(kind)
        columns[f"some_{kind}"] = ak.unflatten(numbers[: counts.sum()].astype(kind), counts)
    return columns | {"square": np.arange(4.0 * count).reshape(count, 2, 2)}


def test_every_type_is_as_it_was(tmp_path: Path, file_format: Format) -> None:
    output = tmp_path / f"out{SUFFIXES[file_format]}"
    columns = every_kind(20)
    lists = {f"n_{kind}": [f"some_{kind}"] for kind in KINDS}
    with table_writer(output, file_format, lists=lists) as writer:
        writer.extend(columns)
    after = read_written(output, file_format, "events")
    for name, column in columns.items():
        assert ak.type(after[name]) == ak.type(column), name
        assert ak.array_equal(after[name], column), name


def test_slices_and_what_a_mask_leaves_are_written(tmp_path: Path, file_format: Format) -> None:
    output = tmp_path / f"out{SUFFIXES[file_format]}"
    whole = every_kind(20)
    odd = np.arange(20) % 2 == 1
    with table_writer(output, file_format, lists={"n": [f"some_{KINDS[0]}"]}) as writer:
        for chosen in (slice(3, 9), odd, slice(0, 0), np.zeros(20, dtype=bool)):
            writer.extend({name: whole[name][chosen] for name in (KINDS[0], f"some_{KINDS[0]}")})
    after = read_written(output, file_format, "events")
    for name in after.fields[:1] + after.fields[-1:]:
        if name != "n":
            wanted = ak.concatenate([whole[name][3:9], whole[name][odd]])
            assert after[name].to_list() == wanted.to_list(), name


def test_a_table_may_have_no_entries(tmp_path: Path, file_format: Format) -> None:
    output = tmp_path / f"out{SUFFIXES[file_format]}"
    with table_writer(output, file_format, lists={"n": ["some_float32"]}) as writer:
        writer.extend({name: column[:0] for name, column in every_kind(3).items()})
        writer.note("said", "text")
    after = read_written(output, file_format, "events")
    assert len(after) == 0
    assert {"square", "some_float32", "three_int8"} <= set(after.fields)
    assert note_of(output, "said") == "text"


@pytest.mark.parametrize("file_format", ["ttree", "rntuple", "parquet"])
def test_small_parts_are_gathered(
    tmp_path: Path, file_format: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rootflow.formats.writing.PART_ENTRIES", 40)
    output = tmp_path / "out"
    numbers = np.arange(100.0)
    with table_writer(output, file_format) as writer:
        for start in range(0, 100, 10):
            writer.extend({"x": numbers[start : start + 10]})
    # A TTree by entries alone; a cluster or a row group is of so many bytes.
    assert parts_of(output, file_format, "events") == (
        [40, 40, 20] if file_format == "ttree" else [100]
    )
    assert read_written(output, file_format, "events")["x"].to_list() == numbers.tolist()


@pytest.mark.parametrize("file_format", ["rntuple", "parquet"])
def test_no_more_is_held_than_a_part(
    tmp_path: Path, file_format: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rootflow.formats.writing.PART_ENTRIES", 1)
    monkeypatch.setattr(TableWriter, "part_bytes", 8_000)
    numbers, lists = np.arange(10_000.0), ak.unflatten(np.arange(20_000.0), np.full(10_000, 2))
    with table_writer(tmp_path / "out", file_format) as writer:
        for start in range(0, 10_000, 10):
            writer.extend({"x": numbers[start:][:10], "lists": lists[start:][:10]})
    sizes = parts_of(tmp_path / "out", file_format, "events")
    # Of 32 bytes each, with the offsets of the lists; slices count for what they are.
    assert set(sizes[:-1]) == {250} or set(sizes[:-1]) == {240}
    after = read_written(tmp_path / "out", file_format, "events")
    assert ak.array_equal(after["lists"], lists)


def test_parquet_says_that_nothing_is_missing(tmp_path: Path) -> None:
    with table_writer(tmp_path / "out.parquet", "parquet") as writer:
        writer.extend(every_kind(5))
    schema = parquet.read_schema(tmp_path / "out.parquet")
    assert not any(field.nullable for field in schema)
    assert schema.field("some_float32").type == pa.list_(pa.field("element", pa.float32(), False))
    assert schema.field("three_int8").type.list_size == 3
