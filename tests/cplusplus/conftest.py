"""One network as C++, compiled once."""

import shutil
from pathlib import Path

import pytest

from compiler import compiled
from exporting import FLAT
from rootflow.cplusplus.write import write_cplusplus
from rootflow.export.writing import Export


@pytest.fixture(scope="session")
def sources(exported: Export, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of what is written for the named and the flat file."""
    directory = tmp_path_factory.mktemp("cplusplus") / "small"
    write_cplusplus([exported.named_path, exported.files[FLAT]], directory)
    return directory


@pytest.fixture(scope="session")
def programs(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the program of each variant."""
    copy = tmp_path_factory.mktemp("programs") / "small"
    shutil.copytree(sources, copy)
    return {
        "named": compiled(copy / "ttbar_small.cpp"),
        "flat": compiled(copy / "ttbar_small_flat.cpp"),
    }
