"""Parquet files, as pyarrow, awkward and others write them."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from damaged import flipped
from ntuples import Branches, read_branches
from other_formats import write_parquet
from rootflow.errors import InputError
from rootflow.formats import open_table
from rootflow.formats.batches import BatchedTable
from rootflow.ntuple import load_branch_map, read_chunks

DATA = Path(__file__).parents[2] / "data" / "ttbar" / "ttbar_s42_000.root"
EVENTS, ROWS_IN_GROUP = 400, 150
JETS = [[{"pt": 50.0, "tag": {"b": True}}, {"pt": 30.0, "tag": {"b": False}}], [], [{"pt": 40.0}]]
JETS[2][0]["tag"] = {"b": True}


@pytest.fixture(scope="module")
def few() -> Branches:
    return read_branches(DATA, EVENTS)


@pytest.fixture(scope="module")
def written(few: Branches, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_parquet(tmp_path_factory.mktemp("parquet") / "few.parquet", few, ROWS_IN_GROUP)


def _table(path: Path, **columns: Any) -> Path:
    parquet.write_table(pa.table(columns), path)
    return path


def _read(path: Path, name: str) -> Any:
    with open_table(path) as table:
        return table.read([name], 0, table.entries)[name]


@pytest.mark.parametrize("chunk_bytes", [1, 2_000, 60_000, 10**8])
def test_chunks_are_within_row_groups_or_of_several(
    few: Branches, written: Path, chunk_bytes: int
) -> None:
    with open_table(written) as table:
        chunks = list(table.chunks([*few], chunk_bytes))
    assert [start for start, _ in chunks] == sorted(start for start, _ in chunks)
    assert (len(chunks) == 1) == (chunk_bytes == 10**8)
    for name, array in few.items():
        together = ak.concatenate([arrays[name] for _, arrays in chunks])
        assert ak.array_equal(together, array), name


def test_any_ranges_are_read_in_any_order(
    few: Branches, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rootflow.formats.parquet.ROWS_AT_ONCE", 40)
    names = ["jet_pt_NOSYS", "event_jet_truth_idx", "eventNumber"]
    ranges = [(310, 320), (0, 10), (10, 30), (140, 160), (5, 395), (399, 400), (400, 400), (0, 400)]
    with open_table(written) as table:
        assert table.ends().tolist() == [0, 150, 300, 400]
        assert table.ranges(320) == [(0, 300), (300, 400)]
        for start, stop in ranges:
            arrays = table.read(names, start, stop)
            for name in names:
                assert ak.array_equal(arrays[name], few[name][start:stop]), (name, start)


def test_ranges_that_rise_are_decoded_once(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rootflow.formats.parquet.ROWS_AT_ONCE", 40)
    asked = []
    whole = parquet.ParquetFile.iter_batches

    def counted(self: Any, size: int, groups: list[int], columns: list[str]) -> Any:
        asked.append(groups)
        return whole(self, size, groups, columns)

    monkeypatch.setattr(parquet.ParquetFile, "iter_batches", counted)
    with open_table(written) as table:
        assert isinstance(table, BatchedTable)
        for start in range(0, EVENTS, 20):
            table.read(["jet_eta"], start, start + 20)
        assert asked == [[0, 1, 2]]
        table.read(["jet_eta"], 100, 120)  # back in the first group
        table.read(["jet_eta"], 310, 320)  # on to the third
    assert asked[1:] == [[0, 1, 2], [2]]


def test_the_file_is_told_by_how_it_begins(few: Branches, tmp_path: Path) -> None:
    for name in ("events.root", "events", "EVENTS.PQ"):
        path = write_parquet(tmp_path / name, few)
        assert sum(map(len, read_chunks(path, load_branch_map("topcptoolkit")))) == EVENTS
    renamed = tmp_path / "tree.parquet"
    renamed.write_bytes(DATA.read_bytes())
    with open_table(renamed, "reco") as tree:
        assert tree.entries == 20_000


@pytest.mark.parametrize("own_types", [True, False])
def test_columns_within_others_have_names_with_dots(tmp_path: Path, own_types: bool) -> None:
    path = tmp_path / "nested.parquet"
    events = ak.Array([{"jet": jets, "met": {"pt": 1.5, "phi": 2.0}, "a.b": 7} for jets in JETS])
    ak.to_parquet(events, path, extensionarray=own_types)
    with open_table(path) as table:
        assert table.names() == ["jet.pt", "jet.tag.b", "met.pt", "met.phi", "a.b"]
        arrays = table.read(["met.phi", "jet.tag.b", "jet.pt", "a.b"], 0, 3)
        columns = table.columns(["jet.tag.b", "met.pt"])
    assert arrays["jet.pt"].to_list() == [[50.0, 30.0], [], [40.0]]
    assert arrays["jet.tag.b"].to_list() == [[True, False], [], [True]]
    assert arrays["met.phi"].to_list() == [2.0] * 3
    assert arrays["a.b"].to_list() == [7] * 3
    assert columns["met.pt"] == ("double", np.float64, False, None)
    assert columns["jet.tag.b"] == ("list of bool", np.bool_, True, None)


def test_of_nested_columns_only_what_is_asked_for_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "nested.parquet"
    ak.to_parquet(ak.Array([{"jet": jets} for jets in JETS]), path)
    asked = []
    whole = parquet.ParquetFile.iter_batches

    def seen(self: Any, size: int, groups: list[int], columns: list[str]) -> Any:
        asked.extend(columns)
        return whole(self, size, groups, columns)

    monkeypatch.setattr(parquet.ParquetFile, "iter_batches", seen)
    assert _read(path, "jet.pt").to_list() == [[50.0, 30.0], [], [40.0]]
    assert asked == ["jet.list.item.pt"]


@pytest.mark.parametrize(
    ("column", "type_", "values"),
    [
        (pa.array(np.arange(3, dtype=np.float16)), "float32", [0, 1, 2]),
        (pa.array([1, 2, 1]).dictionary_encode(), "int64", [1, 2, 1]),
        (pa.array([True, False, True]), "bool", [True, False, True]),
        (pa.array([1, 2, 3], pa.uint8()), "uint8", [1, 2, 3]),
        (pa.array([[1, 2]] * 3, pa.list_(pa.int16(), 2)), "2 * int16", [[1, 2]] * 3),
        (pa.array([[], [1], [2]], pa.large_list(pa.float32())), "var * float32", [[], [1], [2]]),
    ],
)
def test_types_that_others_write_become_plain(
    tmp_path: Path, column: pa.Array, type_: str, values: list[Any]
) -> None:
    read = _read(_table(tmp_path / "types.parquet", column=column), "column")
    assert str(read.type) == f"3 * {type_}"
    assert read.to_list() == values


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (pa.array(["a", "b", "a"]), "string"),
        (pa.array(["a", "b", "a"]).dictionary_encode(), "string"),
        (pa.array([["a"], [], ["b"]]), "list of string"),
        (pa.array([1, 2, 3], pa.decimal128(10, 2)), r"decimal128\(10, 2\)"),
        (pa.array([1, 2, 3], pa.timestamp("s")), r"timestamp\[ms\]"),
        (pa.nulls(3), "null"),
    ],
)
def test_what_is_no_number_is_refused_by_its_name(
    tmp_path: Path, column: pa.Array, says: str
) -> None:
    path = _table(tmp_path / "types.parquet", column=column, number=pa.array([1, 2, 3]))
    assert _read(path, "number").to_list() == [1, 2, 3]
    with pytest.raises(InputError, match=rf"branch 'column' is {says}, which is no number"):
        _read(path, "column")


@pytest.mark.parametrize(
    ("column", "entry"),
    [
        (pa.array([1.0, None, 2.0, None]), 1),
        (pa.array([[1.0], [], [2.0, None], [1.0]]), 2),
        (pa.array([[1.0], [], None, [1.0]]), 2),
        (pa.array([{"x": 1}, {"x": 1}, {"x": 1}, None]), 3),
    ],
)
def test_what_is_missing_is_refused_where_it_is(
    tmp_path: Path, column: pa.Array, entry: int
) -> None:
    path = _table(tmp_path / "missing.parquet", column=column)
    name = "column.x" if pa.types.is_struct(column.type) else "column"
    with pytest.raises(InputError, match=rf"branch '{name}' has no value in entry {entry}: fill"):
        _read(path, name)
    with open_table(path) as table:  # of those before there is nothing to refuse
        assert len(table.read([name], 0, entry)[name]) == entry
        with pytest.raises(InputError, match=f"has no value in entry {entry}"):
            table.read([name], entry, 4)


def test_unknown_columns_get_near_matches(few: Branches, tmp_path: Path) -> None:
    renamed = {name.replace("jet_pt_NOSYS", "jet_pt_NOSYS_v2"): few[name] for name in few}
    path = write_parquet(tmp_path / "renamed.parquet", renamed)
    with pytest.raises(InputError, match=r"no branch 'jet_pt_NOSYS'; near .*jet_pt_NOSYS_v2"):
        list(read_chunks(path, load_branch_map("topcptoolkit")))


def test_two_columns_of_one_name_are_told(tmp_path: Path) -> None:
    path = tmp_path / "twice.parquet"
    parquet.write_table(pa.Table.from_arrays([pa.array([1])] * 2, ["a", "a"]), path)
    with pytest.raises(InputError, match="two columns are named 'a'"):
        _read(path, "a")


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "brotli", "zstd", "lz4"])
def test_each_compression_of_arrow_is_read(tmp_path: Path, compression: str) -> None:
    path = tmp_path / "compressed.parquet"
    parquet.write_table(pa.table({"a": np.arange(1000)}), path, compression=compression)
    assert ak.sum(_read(path, "a")) == 999 * 500


def test_a_file_without_entries_is_read(few: Branches, tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "none.parquet", {name: a[:0] for name, a in few.items()})
    assert [len(chunk) for chunk in read_chunks(path, load_branch_map("topcptoolkit"))] == [0]
    parquet.write_table(pa.table({}), path)
    with pytest.raises(InputError, match="has no branch 'a'"):
        _read(path, "a")


@pytest.mark.parametrize("content", [b"PAR1", b"PAR1" * 10, b"no Parquet at all" * 50])
def test_a_file_that_is_no_parquet(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "text.parquet"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"not a whole Parquet file; .* truncated") as error:
        _read(path, "a")
    assert "\n" not in str(error.value)


def test_damaged_files_give_the_same_events_or_one_line(few: Branches, tmp_path: Path) -> None:
    path = tmp_path / "damaged.parquet"
    columns = {name: few[name] for name in ("eventNumber", "jet_pt_NOSYS")}
    arrays = {name: ak.to_arrow(array, extensionarray=False) for name, array in columns.items()}
    parquet.write_table(pa.table(arrays), path, write_page_checksum=True)
    refused = 0
    for content in flipped(path.read_bytes(), 200):
        path.write_bytes(content)
        try:
            read = {name: _read(path, name) for name in columns}
        except InputError:
            refused += 1
        else:
            for name, array in columns.items():
                assert ak.array_equal(read[name], array), name
    assert refused > 150
