"""Files that ROOT itself writes, and files of rootflow's as ROOT reads them."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

from ntuples import Branches, write_ntuple
from real_root import ask_root, read_by_root
from rootflow.config.data import DileptonDataConfig
from rootflow.errors import InputError
from rootflow.formats import open_table
from rootflow.formats.branches import branches_of
from rootflow.formats.writing import Format, table_writer
from small_datasets import build

EVENTS = 5


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what ROOT can write in trees."""
    folder = tmp_path_factory.mktemp("kinds")
    ask_root("kinds", folder)
    return folder


def _read(path: Path, *names: str, tree: str = "events") -> list[Any]:
    """Return these branches, read in two pieces."""
    with open_table(path, tree) as table:
        pieces = [table.read(names, start, stop) for start, stop in ((0, 2), (2, table.entries))]
        return [ak.concatenate([piece[name] for piece in pieces]) for name in names]


def _lists(path: Path, name: str, tree: str = "events") -> Any:
    (array,) = _read(path, name, tree=tree)
    return array.to_list()


def test_what_root_writes_again_makes_the_same_dataset(branches: Branches, tmp_path: Path) -> None:
    write_ntuple(tmp_path / "uproot.root", branches)
    ask_root("again", tmp_path, "uproot.root", "reco")
    (tmp_path / "in-folder.yaml").write_text("{base: topcptoolkit, tree: dir/reco}")

    def arrays(file: str) -> dict[str, str]:
        named = "in-folder.yaml" if "in-folder" in file else "topcptoolkit"
        branch_map = named.replace("in-folder", f"{tmp_path}/in-folder")
        config = {"branch_map": branch_map, "weights": {"negative": "keep"}}
        dataset = build(
            DileptonDataConfig.model_validate(config), {"ttbar": [tmp_path / file]}, tmp_path
        )
        return {name: array.sha256 for name, array in dataset.manifest.arrays.items()}

    wanted = arrays("uproot.root")
    assert arrays("in-folder.root") == wanted
    assert arrays("rntuple.root") == wanted
    assert arrays("rntuple-in-folder.root") == wanted
    assert arrays("half.root") == wanted  # with a friend that has the other branches


def test_members_of_split_objects_have_the_name_of_the_object_before_theirs(kinds: Path) -> None:
    path = kinds / "split.root"
    px = [[10.0 * place + event for place in range(event)] for event in range(EVENTS)]
    assert _lists(path, "Jet.fPx", "Delphes") == px
    numbers = np.arange(EVENTS)
    for name, factor in (
        ("dotted.first.pt", 1),
        ("dotted.second.pt", 2),
        ("dotted.number", 1),
        ("plain.first.pt", 10),
        ("plain.second.pt", 20),
        ("plain.number", 1),
    ):
        assert _lists(path, name, "Delphes") == (factor * numbers).tolist(), name
    with open_table(path, "Delphes") as table:
        assert "Jet" not in table.names()
        assert {name for name in table.names() if name.startswith(("dotted", "plain"))} == {
            f"{what}.{which}"
            for what in ("dotted", "plain")
            for which in ("first.pt", "first.eta", "second.pt", "second.eta", "number")
        }
        assert {table.columns(["Jet.fPx"])["Jet.fPx"].counter} == {"Jet"}
        with pytest.raises(
            InputError, match="branch 'whole' is an object of type TLorentzVector, written as a wh"
        ):
            table.read(["whole"], 0, 1)
        with pytest.raises(InputError, match=r"no branch 'Jet/Jet\.fPx'; near matches: Jet\.fPx"):
            table.read(["Jet/Jet.fPx"], 0, 1)


def test_leaves_are_called_by_branch_and_leaf(kinds: Path) -> None:
    path = kinds / "leaves.root"
    met, phi, hits, point, time = _read(
        path, "met.met", "met.phi", "met.hits", "vertex.point", "vertex.time"
    )
    assert met.to_list() == [0, 1, 2, 3, 4]
    assert phi.to_list() == [0, 0.5, 1, 1.5, 2]
    assert str(hits.type) == "5 * int32"
    assert point[3].to_list() == [3, 2, 3]
    assert time.to_list() == [0, 4, 8, 12, 16]
    assert _lists(path, "one") == [0, 1, 2, 3, 4]  # a single leaf is the branch


def test_types_of_trees(kinds: Path) -> None:
    path = kinds / "leaves.root"
    found = _read(path, "half", "single", "character", "flag", "flags", "lists", "nested")
    half, single, character, flag, flags, lists, nested = found
    assert (str(half.type), half.to_list()) == ("5 * float32", [0.5, 1.5, 2.5, 3.5, 4.5])
    assert single.to_list() == [0.25, 1.25, 2.25, 3.25, 4.25]
    assert character.to_list() == [-2, -1, 0, 1, 2]
    assert flag.to_list() == [False, True, False, True, False]
    assert flags[3].to_list() == [True] * 3
    assert lists[2].to_list() == [20, 21]
    assert nested[2].to_list() == [[2.0], [2.0]]
    with open_table(path, "events") as table:
        columns = table.columns(table.names())
        assert [name for name, column in columns.items() if column.numbers is None] == [
            "nested",
            "text",
        ]
        assert columns["lists"].counter == "n"
        assert str(columns["half"].numbers) == "float32"
    assert _lists(kinds / "ntuple.root", "pt") == [25.0]


def test_types_of_rntuples(kinds: Path) -> None:
    path = kinds / "fields.root"
    numbers = np.arange(EVENTS)
    for name, wanted in (
        ("half", numbers + 0.5),
        ("truncated", numbers + 0.25),
        ("single", numbers + 0.125),
        ("event.first.pt", numbers),
        ("event.second.pt", 2 * numbers),
        ("pair.0", numbers),
    ):
        (array,) = _read(path, name)
        assert (str(array.type), array.to_list()) == ("5 * float32", wanted.tolist()), name
    assert np.allclose(_read(path, "quantised")[0], numbers, atol=1e-7)
    for name, kind, value in (
        ("flag", "bool", True),
        ("character", "uint8", ord("d")),
        ("byte", "uint8", 3),
        ("small", "int8", -3),
        ("bits", "3 * bool", [True, True, False]),
        ("array", "2 * float32", [3, 2]),
        ("pointer", "var * int32", [3]),  # a list of none or one
        ("text", "string", "xxx"),
        ("Jet.pt", "var * float32", [30.0] * 3),
        ("pair.1", "int32", 6),
        ("pairs.1", "var * int32", [6] * 3),
        ("nested", "var * var * float32", [[3.0]] * 3),
        ("flags", "var * bool", [True] * 3),
    ):
        (array,) = _read(path, name)
        assert (str(array.type), array.to_list()[3]) == (f"5 * {kind}", value), name
    with pytest.raises(InputError, match=r"'optional', \?float32, is optional"):
        _read(path, "optional")
    with pytest.raises(InputError, match=r"'variant', union.* is of several types"):
        _read(path, "variant")
    with open_table(path, "events") as table:
        assert table.columns(table.names())["half"].numbers == np.float32
        with pytest.raises(InputError, match="cannot be written again: leave it out with"):
            branches_of(table)


def test_of_several_cycles_the_newest_is_read(kinds: Path) -> None:
    with uproot.open(kinds / "cycles.root") as file:
        assert sorted(file.keys()) == ["events;1", "events;2"]
    assert _lists(kinds / "cycles.root", "number") == list(range(100))


@pytest.mark.parametrize("name", ["inside", "aligned", "other"])
def test_friends_with_the_same_entries_are_read(kinds: Path, name: str) -> None:
    path = kinds / f"friend-{name}.root"
    with open_table(path, "events") as table:
        assert table.names() == ["pt", "score", f"{name}.pt", "run"]
        read = table.read(["score", "pt", f"{name}.pt"], 1, 3)
        assert read["score"].to_list() == [11, 12]
        assert read["pt"].to_list() == [1, 2]
        assert read[f"{name}.pt"].to_list() == [101, 102]
        assert table.columns(table.names())["score"].type == "float"
        assert table.ends().tolist() == [0, EVENTS]
        assert table.bytes_per_entry(["score", "pt"]) > table.bytes_per_entry(["pt"]) > 4
    assert read_by_root(path, "events")[f"{name}.score"] == [10, 11, 12, 13, 14]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("short", r"scores\.root: tree 'short' has 3 entries, not 5"),
        ("indexed", r"scores\.root: tree 'indexed' has an index, so that .* another order"),
        ("gone", r"gone\.root: there is no such file"),
    ],
)
def test_other_friends_are_named_where_a_branch_is_missed(kinds: Path, name: str, why: str) -> None:
    path = kinds / f"friend-{name}.root"
    assert _lists(path, "pt") == [0, 1, 2, 3, 4]
    with pytest.raises(
        InputError, match=f"no branch 'score'; .*its friend '{name}' is not read: .*{why}"
    ) as error:
        _read(path, "score")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("saved", [0, 60])
def test_a_file_that_was_never_closed_is_told(tmp_path: Path, saved: int) -> None:
    ask_root("killed", tmp_path, str(saved))
    with pytest.raises(InputError, match=r"killed\.root: what wrote it has not closed it") as error:
        _read(tmp_path / "killed.root", "number")
    assert "hadd recovered.root killed.root" in str(error.value)
    if saved:  # what the message says to do is right
        ask_root("hadd", tmp_path, "recovered.root", "killed.root")
        assert _lists(tmp_path / "recovered.root", "number") == list(range(saved))


@pytest.mark.parametrize("file_format", ["ttree", "rntuple"])
def test_root_reads_what_is_copied(
    branches: Branches, tmp_path: Path, kinds: Path, file_format: Format
) -> None:
    for tree, path in (
        ("reco", write_ntuple(tmp_path / "ntuple.root", branches)),
        ("events", kinds / "friend-aligned.root"),
    ):
        copy = tmp_path / f"copy of {path.name}"
        with open_table(path, tree) as table:
            # ROOT takes no dots in names of an RNTuple's fields.
            names = [name for name in table.names() if file_format == "ttree" or "." not in name]
            copied = branches_of(table, names, (), file_format)
            with table_writer(copy, file_format, copied.tree, lists=copied.lists) as writer:
                for start, stop in table.ranges(200):
                    writer.extend(copied.read(table, start, stop))
        by_root = read_by_root(copy, tree)
        for name, array in zip(names, _read(path, *names, tree=tree), strict=True):
            assert by_root[name] == array.to_list(), name
