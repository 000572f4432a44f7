"""Small samples of both analyses."""

from pathlib import Path

import pytest

from small_configurations import write_samples


@pytest.fixture(scope="package")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two files of each sample, and branch maps of its own."""
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder)
    return folder
