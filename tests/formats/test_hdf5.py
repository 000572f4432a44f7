"""HDF5 files of structured arrays in a group, and of a dataset for each quantity."""

import builtins
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from damaged import flipped
from rootflow.errors import InputError
from rootflow.formats import Table, open_table
from rootflow.ntuple import load_branch_map, read_chunks

JETS = np.dtype([("pt", "f4"), ("tag", "?"), ("track", [("z0", ">f8"), ("hits", "i2", (2,))])])
EVENTS = 10


def _write(path: Path, **datasets: Any) -> Path:
    with h5py.File(path, "w") as file:
        for name, content in datasets.items():
            file[f"delphes/{name}"] = content
    return path


@pytest.fixture
def written(tmp_path: Path) -> Path:
    jets = np.zeros((EVENTS, 3), JETS)
    jets["pt"] = np.arange(3 * EVENTS).reshape(EVENTS, 3)
    jets["tag"][:, 1] = True
    jets["track"]["z0"] = -jets["pt"]
    return _write(tmp_path / "events.h5", jets=jets, njets=np.arange(EVENTS, dtype="i2"))


def _read(path: Path, name: str, tree: str | None = "delphes") -> Any:
    with open_table(path, tree) as table:
        return table.read([name], 0, table.entries)[name]


def _refused(path: Path, says: str, name: str = "jets.pt", tree: str | None = "delphes") -> None:
    with pytest.raises(InputError, match=says) as error:
        _read(path, name, tree)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def test_fields_and_datasets_are_branches(written: Path) -> None:
    with open_table(written, "delphes") as table:
        assert table.names() == ["jets.pt", "jets.tag", "jets.track.z0", "jets.track.hits", "njets"]
        arrays = table.read(table.names(), 2, 4)
        assert table.columns(["jets.track.z0"])["jets.track.z0"].type == "3 * >f8"
    assert {name: str(array.type) for name, array in arrays.items()} == {
        "jets.pt": "2 * 3 * float32",
        "jets.tag": "2 * 3 * bool",
        "jets.track.z0": "2 * 3 * float64",
        "jets.track.hits": "2 * 3 * 2 * int16",
        "njets": "2 * int16",
    }
    assert arrays["jets.pt"].to_list() == [[6, 7, 8], [9, 10, 11]]
    assert arrays["jets.track.z0"].to_list() == [[-6, -7, -8], [-9, -10, -11]]
    assert arrays["jets.tag"].to_list() == [[False, True, False]] * 2


def test_without_a_group_all_paths_are_branches(written: Path) -> None:
    assert _read(written, "delphes/njets", None).to_list() == [*range(EVENTS)]


def test_the_file_is_told_by_how_it_begins(written: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "events.root"
    renamed.write_bytes(written.read_bytes())
    assert _read(renamed, "njets").to_list() == [*range(EVENTS)]


def test_each_dataset_is_read_once_and_in_ranges(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    whole = h5py.Dataset.__getitem__

    def seen(self: h5py.Dataset, place: Any, **options: Any) -> Any:
        asked.append((self.name, place))
        return whole(self, place, **options)

    monkeypatch.setattr(h5py.Dataset, "__getitem__", seen)
    with open_table(written, "delphes") as table:
        table.read(["jets.pt", "njets", "jets.tag"], 2, 4)
    assert asked == [("/delphes/jets", slice(2, 4)), ("/delphes/njets", slice(2, 4))]


def test_ranges_end_where_chunks_of_all_datasets_end(tmp_path: Path) -> None:
    path = tmp_path / "chunks.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("a", data=np.arange(100), chunks=(10,), compression="gzip")
        file.create_dataset("b", data=np.arange(100), chunks=(15,))
        file["c"] = np.arange(100)

    def ranges(table: Table, *names: str) -> list[tuple[int, int]]:
        return table.ranges(35, names)

    with open_table(path) as table:
        assert ranges(table, "a") == [(0, 30), (30, 60), (60, 90), (90, 100)]
        assert ranges(table, "a", "b") == [(0, 30), (30, 60), (60, 90), (90, 100)]
        assert ranges(table, "c") == [(0, 35), (35, 70), (70, 100)]
        assert table.bytes_per_entry(["a", "c"]) == 16


def test_half_precision_becomes_single(tmp_path: Path) -> None:
    path = _write(tmp_path / "half.h5", x=np.arange(3, dtype="f2"))
    assert str(_read(path, "x").type) == "3 * float32"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (np.array([b"a", b"b"]), r"\|S1"),
        (np.array([1j, 2]), "complex128"),
        (["a", "b"], "object"),
    ],
)
def test_what_is_no_number_is_refused_by_its_name(tmp_path: Path, content: Any, says: str) -> None:
    path = _write(tmp_path / "text.h5", text=content, number=[1, 2])
    assert _read(path, "number").to_list() == [1, 2]
    _refused(path, f"branch 'text' is {says}, which is no number", "text")


def test_datasets_of_other_lengths_are_told(tmp_path: Path) -> None:
    path = _write(tmp_path / "lengths.h5", a=np.arange(3), b=np.arange(4), scalar=1.5)
    _refused(path, r"different lengths, 'a' of 3 and 'b' of 4: name the group")


def test_what_is_not_there_is_named(written: Path) -> None:
    _refused(written, "no group 'delphs'; groups in it: delphes", tree="delphs")
    _refused(written, "no branch 'jets.pT'; near matches: jets.pt", "jets.pT")
    with h5py.File(written, "a") as file:
        file.create_group("empty")
    _refused(written, "group '/empty' has no dataset with a row for each event", tree="empty")


def test_two_columns_of_one_name_are_told(written: Path) -> None:
    with h5py.File(written, "a") as file:
        file["delphes/jets.pt"] = np.arange(EVENTS)
    _refused(written, "two columns that are named 'jets.pt'")


def test_numbers_in_other_files_are_refused(tmp_path: Path) -> None:
    path, raw = tmp_path / "outside.h5", tmp_path / "raw"
    raw.write_bytes(bytes(80))
    with h5py.File(path, "w") as file:
        file.create_dataset("delphes/jets", (10,), "f8", external=[(str(raw), 0, 80)])
    _refused(path, "dataset 'jets' holds its numbers in other files", "jets")


def test_a_filter_that_is_not_there_is_named(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with h5py.File(written, "a") as file:
        file.create_dataset("delphes/x", data=np.arange(EVENTS), chunks=(5,), compression="gzip")
    importing = builtins.__import__

    def without_plugins(name: str, *others: Any) -> Any:
        if name == "hdf5plugin":
            raise ImportError(name)
        return importing(name, *others)

    monkeypatch.setattr(builtins, "__import__", without_plugins)
    monkeypatch.setattr("h5py.h5z.filter_avail", lambda _: False)
    _refused(written, r"'x' is compressed by the HDF5 filter 1 \(deflate\).* pip install hdf", "x")


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_a_truncated_file(written: Path, share: float) -> None:
    content = written.read_bytes()
    written.write_bytes(content[: int(share * len(content))])
    _refused(written, "not a whole HDF5 file; it may be truncated or damaged")


def test_damaged_files_are_one_line_or_read(written: Path) -> None:
    refused = 0
    for content in flipped(written.read_bytes(), 300):
        written.write_bytes(content)
        try:
            _read(written, "jets.pt")
        except InputError as error:
            refused += "\n" not in str(error)
    assert refused > 3


def _of_nu2flows(path: Path, **changes: Any) -> Path:
    """Write two events of the layout of nu2-Flows, of three slots for jets."""
    jets = np.zeros((2, 3), [(name, "f4") for name in ("pt", "eta", "phi", "energy", "is_tagged")])
    jets["pt"] = jets["energy"] = [[50, 40, 0], [60, 45, 30]]
    names = ("pt", "eta", "phi", "energy", "charge", "type")
    leptons = np.zeros((2, 2), [(name, "f4") for name in names])
    leptons["pt"] = leptons["energy"] = 30
    leptons["charge"], leptons["type"] = [1, -1], [0, 1]
    neutrinos = np.zeros((2, 2), [(name, "f4") for name in ("PDGID", "pt", "eta", "phi", "mass")])
    neutrinos["PDGID"], neutrinos["pt"] = [12, -14], 20
    datasets = {
        "jets": jets,
        "leptons": leptons,
        "neutrinos": neutrinos,
        "MET": np.ones(2, [("MET", "f4"), ("phi", "f4")]),
        "jets_indices": np.array([[1, 0, -1], [-1, -1, 1]], "i2"),
    }
    for name, change in changes.items():
        change(datasets[name])
    return _write(path, **datasets)


def _chunk(path: Path) -> Any:
    return next(read_chunks(path, load_branch_map("delphes_nu2flows")))


def test_padding_is_taken_off_and_jets_are_found_by_their_partons(tmp_path: Path) -> None:
    chunk = _chunk(_of_nu2flows(tmp_path / "events.h5"))
    assert chunk.objects["jets"].counts().tolist() == [2, 3]
    assert chunk.objects["jets"].columns["pt"].tolist() == [50, 40, 60, 45, 30]
    assert chunk.objects["leptons"].columns["pdg_id"].tolist() == [-11, 13] * 2
    assert chunk.beside["jet_index"].tolist() == [[1, 0], [-1, 2]]
    assert chunk.beside["neutrinos"][0, 0].tolist() == [20, 0, 0]
    assert chunk.rows.identity.of_row


def _set(field: str | None, place: tuple[int, int], value: float) -> Any:
    def change(rows: Any) -> None:
        (rows if field is None else rows[field])[place] = value

    return change


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"jets": _set("pt", (1, 1), 0)}, "event 1: branch 'jets.pt' is zero before it is not"),
        ({"leptons": _set("type", (1, 0), 2)}, r"'leptons.type' is 2, .* \(0\) or muon \(1\)"),
        ({"jets_indices": _set(None, (0, 2), 0)}, "is 0 for several jets"),
        ({"jets_indices": _set(None, (0, slice(0, 3)), [1, -1, 0])}, r"is 0 at place 2 .* 2 jets"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path: Path, changes: Any, says: str) -> None:
    with pytest.raises(InputError, match=says) as error:
        _chunk(_of_nu2flows(tmp_path / "events.h5", **changes))
    assert "\n" not in str(error.value)
