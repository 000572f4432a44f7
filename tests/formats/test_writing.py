"""What there is to copy of a tree, and in which ranges it is read."""

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from rootflow.errors import InputError, UsageError
from rootflow.formats import open_table
from rootflow.formats.writing import branches_of, read_applied, tree_writer


@pytest.fixture
def tree_file(tmp_path: Path) -> Path:
    """Return a file with baskets of 10, 20 and 30 entries."""
    path = tmp_path / "in.root"
    with uproot.recreate(path) as file:
        tree = file.mktree(
            "t", {"x": "int32", "fixed": "3 * float64", "lists": "var * float32", "flag": "bool"}
        )
        for count in (10, 20, 30):
            number = np.arange(count)
            tree.extend(
                {
                    "x": number.astype(np.int32),
                    "fixed": np.stack([number] * 3, 1).astype(np.float64),
                    "lists": ak.Array([[float(i)] * (i % 4) for i in number]),
                    "flag": number % 2 == 0,
                }
            )
    return path


@pytest.mark.parametrize(
    ("most", "ends"), [(100, [60]), (30, [30, 60]), (25, [10, 30, 55, 60]), (60, [60])]
)
def test_ranges_end_where_baskets_end(tree_file: Path, most: int, ends: list[int]) -> None:
    with open_table(tree_file, "t") as tree:
        ranges = tree.ranges(most)
    assert [stop for _, stop in ranges] == ends
    assert [start for start, _ in ranges] == [0, *ends[:-1]]


def test_an_empty_tree_is_one_range(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "in.root") as file:
        file.mktree("t", {"x": "int32"})
    with open_table(tmp_path / "in.root", "t") as tree:
        assert tree.ranges(10) == [(0, 0)]
        assert len(branches_of(tree).read(tree, 0, 0)["x"]) == 0


def test_what_is_copied_is_what_was_there(tree_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.root"
    with (
        open_table(tree_file, None) as tree,
        tree_writer(output, "t", "title", 3) as writer,
    ):
        branches = branches_of(tree)
        for start, stop in ((0, 7), (7, 55), (55, 60)):
            writer.extend(branches.read(tree, start, stop))
        writer.file["rootflow_apply"] = '{"said": "text"}'
    with uproot.open(tree_file) as before, uproot.open(output) as after:
        assert set(before["t"].keys()) <= set(after["t"].keys())
        for name in before["t"].keys():  # noqa: SIM118 - of uproot
            assert ak.array_equal(before["t"][name].array(), after["t"][name].array()), name
    assert read_applied(output) == {"said": "text"}
    assert read_applied(tree_file) is None
    assert read_applied(tmp_path / "absent.root") is None


def test_globs_choose_branches(tree_file: Path) -> None:
    with open_table(tree_file, "t") as tree:
        assert branches_of(tree, ["f*", "x"], ["flag"]).names() == ["x", "fixed"]
        with pytest.raises(UsageError, match=r"--keep fixd: .* near matches: fixed"):
            branches_of(tree, ["fixd"])
        with pytest.raises(UsageError, match=r"--drop y\*: .* no such branch"):
            branches_of(tree, [], ["y*"])


def test_every_branch_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "in.root"
    with uproot.recreate(path) as file:
        tree = file.mktree("t", {"x": "int32", "a": "string", "b": "string"})
        tree.extend({"x": np.arange(2, dtype=np.int32), "a": ["u", "v"], "b": ["u", "v"]})
    with open_table(path, "t") as found:
        with pytest.raises(InputError, match=r"branch 'a' is .*--drop a --drop b"):
            branches_of(found)
        assert branches_of(found, dropped=["[ab]"]).names() == ["x"]
