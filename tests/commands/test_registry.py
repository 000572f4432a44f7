import json
import shutil
from pathlib import Path

import click.testing
import pytest

from rootflow.commands.registry import registry


@pytest.fixture(autouse=True)
def _store(workspace: Path, empty_store: Path) -> None:
    shutil.copy(empty_store, workspace / "mlflow.db")


def test_an_empty_registry_says_so() -> None:
    answer = click.testing.CliRunner().invoke(registry, ["list"], catch_exceptions=False)
    assert answer.stdout == ""
    assert "no model is registered yet" in answer.stderr
    told = click.testing.CliRunner().invoke(registry, ["list", "--json"], catch_exceptions=False)
    assert json.loads(told.stdout)["models"] == []
