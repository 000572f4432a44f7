"""What every test may use."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
SHARED_DATA = PROJECT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_ttbar() -> list[Path]:
    """Two files of simulated dileptonic ttbar, 50,147 events."""
    files = sorted((SHARED_DATA / "ttbar").glob("ttbar_s11_*.root"))
    assert files, f"no ttbar files in {SHARED_DATA}: the tests need the shared sample"
    return files


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working directory, with no tracking server named."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path
