"""Neutrinos that the ntuple itself holds."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import yaml

from ntuples import Branches, changed, write_ntuple
from rootflow.errors import InputError, UsageError
from rootflow.ntuple import BranchMap, Chunk, load_branch_map, read_chunks

NUFLOWS = "nuflows_nu_out_NOSYS"
MAP = load_branch_map("topcptoolkit_nuflows")


@pytest.fixture
def momenta() -> np.ndarray:
    return np.random.default_rng(1).normal(0, 60, (400, 6)).astype(np.float32)


def chunk_of(path: Path, branches: Branches, values: Any, branch_map: BranchMap = MAP) -> Chunk:
    (chunk,) = read_chunks(write_ntuple(path, {**branches, NUFLOWS: values}), branch_map)
    return chunk


def lists(momenta: np.ndarray) -> ak.Array:
    return ak.from_regular(ak.Array(momenta))


def test_one_branch_in_gev(branches: Branches, momenta: np.ndarray, tmp_path: Path) -> None:
    chunk = chunk_of(tmp_path / "a.root", branches, lists(momenta))
    np.testing.assert_array_equal(
        chunk.beside["reconstructed_neutrinos"], momenta.reshape(400, 2, 3)
    )


def test_units_are_those_of_the_map(
    branches: Branches, momenta: np.ndarray, tmp_path: Path
) -> None:
    settings = MAP.model_dump(mode="json", exclude_none=True)
    for particle in settings["neutrinos"].values():
        for column in particle.values():
            column["unit"] = "MeV"
    path = tmp_path / "map.yaml"
    path.write_text(yaml.safe_dump(settings))
    values = lists(momenta * 1000)
    chunk = chunk_of(tmp_path / "a.root", branches, values, load_branch_map(str(path)))
    np.testing.assert_allclose(
        chunk.beside["reconstructed_neutrinos"], momenta.reshape(400, 2, 3), rtol=1e-6
    )
    with pytest.raises(InputError, match=rf"branch '{NUFLOWS}' is .* more than any collision"):
        chunk_of(tmp_path / "b.root", branches, values)


def test_none_in_some_events(branches: Branches, momenta: np.ndarray, tmp_path: Path) -> None:
    values = momenta.copy()
    values[3, 4] = np.nan
    chunk = chunk_of(tmp_path / "a.root", branches, changed(lists(values), 7, []))
    there = ~np.isin(np.arange(400), [3, 7])
    assert np.all(np.isnan(chunk.beside["reconstructed_neutrinos"][~there]))
    np.testing.assert_array_equal(
        chunk.beside["reconstructed_neutrinos"][there], momenta.reshape(400, 2, 3)[there]
    )


def test_a_list_that_is_too_short_is_an_error(
    branches: Branches, momenta: np.ndarray, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=rf"branch '{NUFLOWS}' has no place 3"):
        chunk_of(tmp_path / "a.root", branches, changed(lists(momenta), 5, [1.0, 2.0, 3.0]))


def test_a_file_without_the_branch_is_an_error(branches: Branches, tmp_path: Path) -> None:
    path = write_ntuple(tmp_path / "a.root", branches)
    with pytest.raises(InputError, match=NUFLOWS):
        list(read_chunks(path, MAP))


def test_a_map_that_names_none_reads_none(branches: Branches, tmp_path: Path) -> None:
    path = write_ntuple(tmp_path / "a.root", branches)
    (chunk,) = read_chunks(path, load_branch_map("topcptoolkit"))
    assert "reconstructed_neutrinos" not in chunk.beside


def test_the_base_of_a_map_holds_where_it_is_silent() -> None:
    base = load_branch_map("topcptoolkit")
    assert MAP.jets == base.jets
    assert MAP.truth == base.truth
    assert base.neutrinos is None


def test_a_base_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text("base: topcptoolkitt\n")
    with pytest.raises(UsageError, match="no map 'topcptoolkitt'"):
        load_branch_map(str(path))
