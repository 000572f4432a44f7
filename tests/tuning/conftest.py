from pathlib import Path

import pytest

TOY = Path(__file__).with_name("toy.yaml")


@pytest.fixture
def toy() -> Path:
    """Return the configuration of a study of toy trials."""
    return TOY


@pytest.fixture
def place(workspace: Path, empty_store: Path) -> Path:
    """Return a working directory with a tracking store."""
    (workspace / "mlflow.db").write_bytes(empty_store.read_bytes())
    return workspace
