import shutil
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from rootflow.analyses.ttbar import TtbarConfig
from rootflow.config import load
from rootflow.tracking.connection import connect

TTBAR = Path(__file__).parents[2] / "configs" / "ttbar.yaml"


@pytest.fixture
def config(workspace: Path) -> TtbarConfig:
    """Return the shipped configuration, with its output below the test's directory."""
    return load(TTBAR, [f"output={workspace / 'outputs'}"])


@pytest.fixture
def client(workspace: Path, empty_store: Path) -> MlflowClient:
    """Return a client of the store embedded in the test's own directory."""
    shutil.copy(empty_store, workspace / "mlflow.db")
    return connect()
