"""RNTuples, which are read and copied as TTrees are."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

from damaged import flipped
from ntuples import Branches, read_tree, write_ntuple
from rootflow.config.data import DileptonDataConfig
from rootflow.errors import InputError
from rootflow.formats import open_table
from rootflow.formats.branches import branches_of
from rootflow.formats.writing import table_writer
from rootflow.ntuple import load_branch_map, read_chunks
from small_datasets import build

CLUSTERS = (150, 150, 90, 10)


def _chunks(path: Path, tree: str, names: list[str], chunk_bytes: int) -> list[dict[str, Any]]:
    with open_table(path, tree) as table:
        return [arrays for _, arrays in table.chunks(names, chunk_bytes)]


@pytest.fixture(scope="module")
def rntuple(branches: Branches, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The events of `branches` in four clusters."""
    path = tmp_path_factory.mktemp("rntuple") / "ntuple.root"
    ends = np.cumsum(CLUSTERS)
    first, *others = (
        {name: array[end - count : end] for name, array in branches.items()}
        for end, count in zip(ends, CLUSTERS, strict=True)
    )
    with uproot.recreate(path) as file:
        written = file.mkrntuple("reco", first)
        for part in others:
            written.extend(part)
    return path


def test_the_same_events_make_the_same_arrays(
    branches: Branches, rntuple: Path, tmp_path: Path
) -> None:
    tree = write_ntuple(tmp_path / "tree.root", branches)
    config = DileptonDataConfig.model_validate({"weights": {"negative": "keep"}})
    one, other = (build(config, {"ttbar": [path]}, tmp_path) for path in (tree, rntuple))
    assert one.manifest.samples[0].cutflow == other.manifest.samples[0].cutflow
    assert {*one.manifest.arrays} == {*other.manifest.arrays}
    for name, array in one.manifest.arrays.items():
        assert other.manifest.arrays[name].sha256 == array.sha256, name


@pytest.mark.parametrize("chunk_bytes", [1, 2_000, 60_000, 10**8])
def test_chunks_are_within_clusters_or_of_several(
    branches: Branches, rntuple: Path, chunk_bytes: int
) -> None:
    names = ["jet_pt_NOSYS", "eventNumber"]
    chunks = _chunks(rntuple, "reco", names, chunk_bytes)
    assert (len(chunks) > len(CLUSTERS)) == (chunk_bytes < 10_000)
    for name in names:
        together = ak.concatenate([chunk[name] for chunk in chunks])
        assert ak.array_equal(together, branches[name])


def test_ranges_end_with_clusters_where_they_can(rntuple: Path) -> None:
    with open_table(rntuple, "reco") as ntuple:
        assert ntuple.ranges(320) == [(0, 300), (300, 400)]
        assert ntuple.ranges(100) == [(0, 100), (100, 150), (150, 250), (250, 300), (300, 400)]
        assert 100 < ntuple.bytes_per_entry() < 10_000


def test_records_have_names_with_dots(tmp_path: Path) -> None:
    pt, eta = ak.Array([[50.0, 30.0], [], [40.0]]), ak.Array([[1.0, -1.0], [], [0.5]])
    with uproot.recreate(tmp_path / "records.root") as file:
        file["events"] = {"jet": ak.zip({"pt": pt, "eta": eta}), "a.b": np.arange(3)}
    with open_table(tmp_path / "records.root", None) as ntuple:
        assert ntuple.names() == ["a.b", "jet.pt", "jet.eta"]
        read = ntuple.read(["jet.eta", "a.b"], 0, 3)
    assert ak.array_equal(read["jet.eta"], eta)
    assert read["a.b"].to_list() == [0, 1, 2]


def test_all_is_copied_to_a_tree(branches: Branches, rntuple: Path, tmp_path: Path) -> None:
    with open_table(rntuple, "reco") as ntuple:
        copied = branches_of(ntuple)
        with table_writer(
            tmp_path / "copy.root", "ttree", copied.tree, lists=copied.lists
        ) as writer:
            for start, stop in ntuple.ranges(200):
                writer.extend(copied.read(ntuple, start, stop))
    copy = read_tree(tmp_path / "copy.root", "reco")
    for name, array in branches.items():
        assert ak.array_equal(copy[name], array), name


def test_what_cannot_be_copied_is_named(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "text.root") as file:
        file["events"] = {"number": np.arange(2), "text": ["a", "b"], "flag": [True, False]}
    with open_table(tmp_path / "text.root", None) as ntuple:
        with pytest.raises(InputError, match=r"'text' is string, .* --drop text"):
            branches_of(ntuple)
        assert branches_of(ntuple, dropped=["text"]).scalars == {"number": "int64", "flag": "bool"}


def test_optional_numbers_are_refused_where_they_are_read(tmp_path: Path) -> None:
    leading = ak.max(ak.Array([[50.0, 30.0], [], [40.0]]), axis=1)
    with uproot.recreate(tmp_path / "optional.root") as file:
        file["events"] = {"leading": leading, "number": np.arange(3)}
    with open_table(tmp_path / "optional.root", None) as ntuple:
        assert ntuple.read(["number"], 1, 3)["number"].to_list() == [1, 2]
        with pytest.raises(InputError, match=r"branch 'leading', \?float64, is optional"):
            ntuple.read(["leading"], 0, 3)


def test_what_is_not_there_is_named(branches: Branches, rntuple: Path, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"RNTuple 'reco' has no branch 'jet_p'; near matches: jet"
    ):
        _chunks(rntuple, "reco", ["jet_p"], 1000)
    assert _chunks(rntuple, "reco", [], 1000) == []
    with pytest.raises(InputError, match="no tree 'other'; trees in it: reco"):
        _chunks(rntuple, "other", ["jet_p"], 1000)
    nothing = tmp_path / "nothing.root"
    with uproot.recreate(nothing) as file:
        file["reco"] = {name: array[:0] for name, array in branches.items()}
    (chunk,) = read_chunks(nothing, load_branch_map("topcptoolkit"))
    assert len(chunk) == 0


def test_damaged_ones_are_told_in_one_line(rntuple: Path, tmp_path: Path) -> None:
    path = tmp_path / "damaged.root"
    said = []
    for content in flipped(rntuple.read_bytes(), 60):
        path.write_bytes(content)
        try:
            list(read_chunks(path, load_branch_map("topcptoolkit")))
        except InputError as error:
            said.append(str(error))
    assert len(said) > 4
    assert [line for line in said if "\n" in line or str(path) not in line] == []
