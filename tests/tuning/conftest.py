from pathlib import Path
from typing import Any

import pytest

from studies import QUICK, TOY, asked_and_answered, assert_each_counted_once, trials_of
from toy_study import run_study


@pytest.fixture
def toy() -> Path:
    """Return the configuration of a study of toy trials."""
    return TOY


@pytest.fixture
def place(workspace: Path, empty_store: Path) -> Path:
    """Return a working directory with a tracking store."""
    (workspace / "mlflow.db").write_bytes(empty_store.read_bytes())
    return workspace


@pytest.fixture(scope="session")
def undisturbed(
    empty_store: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[dict[str, Any], Any]]:
    """Return parameters and value of each trial of a study in which nothing happened."""
    directory = tmp_path_factory.mktemp("undisturbed")
    (directory / "mlflow.db").write_bytes(empty_store.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{directory / 'mlflow.db'}")
        run_study(TOY, QUICK)
    assert_each_counted_once(directory, 8)
    return asked_and_answered(trials_of(directory))
