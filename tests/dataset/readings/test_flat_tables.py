"""Flat tables, CSV and ROOT, against the ntuple with lists that they were made of."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
import vector

from four_lepton_ntuples import (
    FLAT_SELECTION,
    Table,
    flat_table,
    read_mini,
    write_csv,
    write_flat_root,
)
from ntuples import Branches, write_ntuple
from rootflow.config.data import FourLeptonSelectionConfig
from rootflow.dataset.event_reader import EventReader
from rootflow.dataset.readings.four_leptons import FourLeptons
from rootflow.errors import InputError
from rootflow.ntuple import load_branch_map, read_chunks

SELECTION = FourLeptonSelectionConfig.model_validate(FLAT_SELECTION)
JAGGED = load_branch_map("atlas_open_data")
FLAT = load_branch_map("flat_four_leptons")


def _arrays(path: Path, chunk_bytes: int | None = None) -> dict[str, Any]:
    reader = EventReader(
        FourLeptons(selection=SELECTION), JAGGED if path.name == "mini.root" else FLAT
    )
    chunks = read_chunks(path, reader.branch_map, chunk_bytes or FourLeptons.chunk_bytes)
    parts = [reader.select(chunk).arrays for chunk in chunks]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _same(arrays: dict[str, Any], expected: dict[str, Any]) -> None:
    assert list(arrays) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(arrays[name], array, err_msg=name)


@pytest.fixture(scope="module")
def table(mini: Branches) -> Table:
    return flat_table(mini)


@pytest.fixture(scope="module")
def expected(mini: Branches, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = write_ntuple(tmp_path_factory.mktemp("mini") / "mini.root", mini, tree="mini")
    # A flat table has no run and no channel.
    return {name: array for name, array in _arrays(path).items() if name != "identity"}


@pytest.mark.parametrize(
    ("name", "write"), [("flat.csv", write_csv), ("flat.root", write_flat_root)]
)
def test_a_flat_table_gives_the_events_of_the_lists(
    tmp_path: Path,
    table: Table,
    expected: dict[str, Any],
    name: str,
    write: Callable[[Path, Table], Path],
) -> None:
    path = write(tmp_path / name, table)
    assert len(expected["weight"]) > 300
    assert (np.diff(table["lep1_pt"] - table["lep2_pt"]) != 0).any()
    assert not np.all(table["lep1_pt"] > table["lep2_pt"])  # the table is in no order
    _same(_arrays(path), expected)
    _same(_arrays(path, chunk_bytes=20_000), expected)


def test_a_compressed_table(tmp_path: Path, table: Table, expected: dict[str, Any]) -> None:
    plain = write_csv(tmp_path / "flat.csv", table)
    path = tmp_path / "flat.csv.gz"
    path.write_bytes(gzip.compress(plain.read_bytes()))
    _same(_arrays(path), expected)


def test_without_energies_they_come_from_the_masses_of_the_flavours(
    tmp_path: Path, table: Table
) -> None:
    less = {name: column for name, column in table.items() if not name.endswith("_E")}
    path = write_csv(tmp_path / "flat.csv", less)
    (chunk,) = read_chunks(path, FLAT.as_of_collisions())
    leptons = {
        name: values.astype(np.float64) for name, values in chunk.objects["leptons"].columns.items()
    }
    np.testing.assert_array_equal(
        leptons["pt"].reshape(-1, 4).T, [table[f"lep{slot}_pt"] for slot in range(1, 5)]
    )
    mass = np.where(np.abs(leptons["pdg_id"]) == 13, 0.1056584, 0.000511)
    momenta = {name: leptons[name] for name in ("pt", "eta", "phi")}
    vectors = vector.array({**momenta, "mass": mass})
    np.testing.assert_allclose(leptons["energy"], vectors.energy, rtol=1e-6)


def test_without_event_numbers_the_row_is_the_number(
    tmp_path: Path, table: Table, expected: dict[str, Any]
) -> None:
    less = {name: column for name, column in table.items() if name != "eventNumber"}
    path = write_csv(tmp_path / "flat.csv", less)
    rows = np.flatnonzero(np.isin(table["eventNumber"], expected["event_number"]))
    for chunk_bytes in (None, 20_000):
        np.testing.assert_array_equal(_arrays(path, chunk_bytes)["event_number"], rows)


def test_a_table_without_masses_is_read(
    tmp_path: Path, table: Table, expected: dict[str, Any]
) -> None:
    less = {name: column for name, column in table.items() if "_m_l" not in name}
    _same(_arrays(write_csv(tmp_path / "flat.csv", less)), expected)


def test_numbers_of_four_digits_are_rounded_not_wrong(tmp_path: Path, table: Table) -> None:
    rounded = {
        name: column
        if column.dtype.kind in "iu" or name == "totalWeight"
        else np.array([float(f"{value:.4g}") for value in column])
        for name, column in table.items()
    }
    assert len(_arrays(write_csv(tmp_path / "flat.csv", rounded))["weight"]) > 300


def _refused(path: Path, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        _arrays(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    "exchanged",
    [
        ("lep_m_ll_12", "lep_m_ll_13"),
        ("lep_m_llll", "lep_m_ll_12"),
        ("lep1_pt", "lep2_pt"),
        ("lep3_eta", "lep4_eta"),
        ("lep1_phi", "lep1_eta"),
    ],
)
def test_exchanged_columns_do_not_fit_the_masses(
    tmp_path: Path, table: Table, exchanged: tuple[str, str]
) -> None:
    one, two = exchanged
    wrong = {name: column for name, column in table.items() if not name.endswith("_E")} | {
        one: table[two],
        two: table[one],
    }
    _refused(
        write_csv(tmp_path / "flat.csv", wrong),
        r"event \d+: branch 'lep_m_l.*' is .* but the leptons have (m4l|mass_\d\d) = .*columns",
    )


def test_masses_in_mev(tmp_path: Path, table: Table) -> None:
    wrong = {**table, "lep_m_ll_34": table["lep_m_ll_34"] * 1000}
    _refused(write_csv(tmp_path / "flat.csv", wrong), "branch 'lep_m_ll_34' is .* GeV when read as")


def test_momenta_in_mev(tmp_path: Path, table: Table) -> None:
    wrong = dict(table)
    for slot in "1234":
        for name in ("pt", "E"):
            wrong[f"lep{slot}_{name}"] = 1000 * table[f"lep{slot}_{name}"]
    _refused(write_csv(tmp_path / "flat.csv", wrong), "'lep._pt' is .* GeV when read as GeV, more")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text.replace('"lep2_eta"', '"lep2_Eta"'), "no branch 'lep2_eta'; near.*Eta"),
        (lambda text: text.replace('"jet_n"', '"jets"'), "the table has no branch 'jet_n'"),
        (lambda text: text[: len(text) // 2].rsplit(",", 1)[0], "not a whole CSV file.*columns"),
        (lambda text: text[: text.rindex(",")] + ",none\n", "not a whole CSV file.*'none'"),
        (lambda text: text[: text.rindex(",")] + ",22\n", r"'lep4_pdgId' is 22, which is no elec"),
        (lambda text: text[: text.rindex(",")] + ",\n", r"branch 'lep4_pdgId' is nan"),
        (lambda _: "", "the file is empty"),
    ],
)
def test_what_is_wrong_with_a_table_is_named(
    tmp_path: Path, table: Table, spoil: Callable[[str], str], message: str
) -> None:
    path = write_csv(tmp_path / "flat.csv", table)
    path.write_text(spoil(path.read_text()))
    _refused(path, message)


def test_what_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "flat.csv"
    path.write_bytes(bytes(range(256)) * 10)
    _refused(path, r"flat\.csv: ")


def test_a_table_without_rows(tmp_path: Path, table: Table) -> None:
    none = {name: column[:0] for name, column in table.items()}
    for path in (
        write_csv(tmp_path / "flat.csv", none),
        write_flat_root(tmp_path / "flat.root", none),
    ):
        assert len(_arrays(path)["weight"]) == 0


def test_a_file_with_two_trees_needs_a_name(tmp_path: Path) -> None:
    path = tmp_path / "two.root"
    with uproot.recreate(path) as file:
        for tree in ("one", "two"):
            file.mktree(tree, {"x": "f8"}).extend({"x": np.zeros(3)})
    _refused(path, "the file needs exactly one; trees in it: one, two")


def test_real_collisions_as_a_table(tmp_path: Path, open_data_file: Path) -> None:
    """Event numbers of the collisions are negative in part."""
    raw = read_mini(open_data_file)
    expected = _arrays(write_ntuple(tmp_path / "mini.root", _of_lists(raw), tree="mini"))
    _same(_arrays(write_csv(tmp_path / "flat.csv", flat_table(raw))), expected)


def _of_lists(raw: Branches) -> Branches:
    return {name: array for name, array in raw.items() if name in JAGGED_BRANCHES}


JAGGED_BRANCHES = {
    *("eventNumber", "jet_n", "lep_pt", "lep_eta", "lep_phi", "lep_E", "lep_charge", "lep_type")
}
