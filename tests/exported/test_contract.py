import json
from pathlib import Path

from rootflow.exported.contract import OnnxContract, json_schema
from sealed_files import some_contract

SCHEMA = Path(__file__).parents[2] / "docs" / "onnx-contract.schema.json"


def test_the_schema_in_the_docs_is_that_of_the_contract() -> None:
    # python -c 'from rootflow.exported.contract import json_schema; print(json_schema(), end="")'
    assert SCHEMA.read_text() == json_schema()


def test_the_schema_names_every_field_of_a_contract() -> None:
    said = json.loads(some_contract().model_dump_json())
    schema = json.loads(SCHEMA.read_text())
    assert set(said) == set(schema["properties"]) == set(schema["required"])


def test_a_contract_is_read_as_it_was_written() -> None:
    contract = some_contract(metrics={"validation_loss": 0.5}, trained_at="2026-01-01T00:00:00Z")
    assert OnnxContract.model_validate_json(contract.model_dump_json()) == contract
