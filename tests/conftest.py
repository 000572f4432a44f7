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
