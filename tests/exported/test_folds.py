from pathlib import Path

import pytest

from rootflow.errors import RootflowError
from rootflow.exported.folds import FoldsTable, read_folds, refuse_other_tensors
from sealed_files import some_contract


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    table = FoldsTable(
        folds={"0": "even.onnx"},
        all_folds=None,
        sha256={"even.onnx": "0" * 64},
        contracts={"even.onnx": some_contract()},
        parity=[{"momentum": 1e-5}],
        precision=[],
    )
    path = tmp_path / "folds.json"
    path.write_text(table.model_dump_json())
    assert path.name == "folds.json"
    assert FoldsTable.model_validate_json(path.read_text()) == table
    assert read_folds(tmp_path) == table.folds


def test_folds_with_other_tensors_are_no_set() -> None:
    contract = some_contract()
    other = some_contract(outputs=(contract.outputs[0].model_copy(update={"shape": ("batch",)}),))
    refuse_other_tensors({"even.onnx": contract, "odd.onnx": contract})
    with pytest.raises(RootflowError, match=r"odd\.onnx has other outputs than even\.onnx"):
        refuse_other_tensors({"even.onnx": contract, "odd.onnx": other})
