"""Models applied to the same events in each format give the same answers."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

from ntuples import Branches
from other_formats import FORMATS
from rootflow.exported.folds import model_files
from rootflow.formats import open_table
from rootflow.inference.application import Setting
from rootflow.inference.files import apply_to_files
from rootflow.ntuple import load_branch_map

PLACES = ("b_index", "bbar_index", "fold", "selected")


def _applied(models: Path, source: Path, output: Path, branch_map: str) -> dict[str, Any]:
    files = model_files([models])
    setting = Setting(tuple(files), branch_map=branch_map, name="small")
    apply_to_files(setting, [source], output, origin={"sha256": str(files)})
    with uproot.open(output) as file:
        (tree,) = file.keys(filter_classname="TTree", cycle=False)
        return dict(file[tree].arrays(how=dict))


@pytest.fixture(scope="module")
def of_tree(
    ttbar_folds: Path, branches: Branches, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("tree")
    path = FORMATS["TTree"].write(folder / "events.root", branches)
    return _applied(ttbar_folds, path, folder / "out.root", "topcptoolkit")


# NanoAOD has masses instead of energies: the last digits of its answers differ.
@pytest.mark.parametrize("name", ["RNTuple", "Parquet", "Delphes", "SPANet"])
def test_the_same_answers_beside_all_that_was_there(
    name: str, ttbar_folds: Path, branches: Branches, of_tree: dict[str, Any], tmp_path: Path
) -> None:
    kind = FORMATS[name]
    source = kind.write(tmp_path / f"events{kind.suffix}", branches)
    there = _applied(ttbar_folds, source, tmp_path / "out.root", kind.branch_map(tmp_path))
    answers = [branch for branch in of_tree if branch.startswith("small_")]
    assert len(answers) > len(PLACES)
    mev = 1 if kind.base == "topcptoolkit" else 1000  # momenta are in the units of the map
    for branch in answers:
        expected, found = (ak.to_numpy(arrays[branch]) for arrays in (of_tree, there))
        if branch.rpartition("_")[2] in ("px", "py", "pz", "mass"):
            np.testing.assert_allclose(found * mev, expected, rtol=1e-6)
        else:
            np.testing.assert_array_equal(found, expected, branch)
    with open_table(source, load_branch_map(kind.base).tree) as table:
        before = table.read(table.names(), 0, table.entries)
    for branch, array in before.items():
        assert ak.array_equal(there[branch], array, dtype_exact=False), branch
