import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rootflow.dataset import Events
from rootflow.errors import RootflowError, UsageError
from rootflow.export.writing import Prepared, write
from rootflow.exported.folds import FoldsTable
from rootflow.methods.exported import OnnxMethod


def of_the_other_fold(prepared: Prepared) -> Prepared:
    """Return the same network as if it had not seen the odd numbers."""
    names = {kind: name.replace("even", "odd") for kind, name in prepared.names.items()}
    contracts = {
        kind: contract.model_copy(update={"held_out": 1})
        for kind, contract in prepared.contracts.items()
    }
    stem = prepared.stem.replace("even", "odd")
    parity = [{**row, "file": row["file"].replace("even", "odd")} for row in prepared.parity]
    return replace(prepared, stem=stem, names=names, contracts=contracts, held_out=1, parity=parity)


def test_folds_are_a_set_with_a_table(for_every_target: Prepared, tmp_path: Path) -> None:
    made = write([for_every_target, of_the_other_fold(for_every_target)], tmp_path / "set")
    table = FoldsTable.model_validate_json((tmp_path / "set" / "folds.json").read_text())
    stem = "ttbar_small_net-1_applied_to_"
    assert table.folds == {"0": f"{stem}even.onnx", "1": f"{stem}odd.onnx"}
    assert table.all_folds is None
    assert table.targets == {
        "named": table.folds,
        "topcptoolkit-flat": {"0": f"{stem}even_flat.onnx", "1": f"{stem}odd_flat.onnx"},
        "athena": {"0": f"{stem}even_athena.onnx", "1": f"{stem}odd_athena.onnx"},
    }
    for name, digest in table.sha256.items():
        content = (tmp_path / "set" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == digest
    assert set(table.contracts) == set(table.sha256)
    assert {row["file"] for row in table.parity} == set(table.sha256)
    assert [each.named_path.name for each in made] == list(table.folds.values())
    assert {path for each in made for path in each.paths} == set((tmp_path / "set").iterdir())


def test_one_network_has_no_table(for_every_target: Prepared, tmp_path: Path) -> None:
    (made,) = write([for_every_target], tmp_path / "one")
    assert set(made.paths) == set((tmp_path / "one").iterdir())
    said = json.loads(made.table_path.read_text())
    for name, digest in said["sha256"].items():
        assert hashlib.sha256((tmp_path / "one" / name).read_bytes()).hexdigest() == digest
    assert OnnxMethod(made.named_path, name="small").contract.model == "small_net-1"


def test_the_model_for_the_registry_is_the_file(for_every_target: Prepared) -> None:
    content = for_every_target.contents["named", "float32"]
    assert for_every_target.model.SerializeToString() == content


def test_folds_that_differ_are_not_written(
    for_every_target: Prepared, in_mev_and_int8: Prepared, tmp_path: Path
) -> None:
    other = of_the_other_fold(in_mev_and_int8)
    with pytest.raises(RootflowError, match=r"odd\.onnx has other inputs than .*even\.onnx"):
        write([for_every_target, other], tmp_path / "set")
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_stays(for_every_target: Prepared, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there already"):
        write([for_every_target], tmp_path)


def test_a_file_in_mev_is_applied_to_events_in_gev(
    for_every_target: Prepared, in_mev_and_int8: Prepared, toys: Events, tmp_path: Path
) -> None:
    few = toys.take(toys.event_number % 2 == 0)
    (gev,) = write([for_every_target], tmp_path / "gev")
    (mev,) = write([in_mev_and_int8], tmp_path / "mev")
    wanted, said = (OnnxMethod(made.named_path, name="small").outputs(few) for made in (gev, mev))
    np.testing.assert_allclose(said["assignment"], wanted["assignment"], atol=1e-5)
    np.testing.assert_allclose(said["neutrinos"], wanted["neutrinos"], rtol=1e-3, atol=1e-2)
