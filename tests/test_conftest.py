"""What conftest.py does for all tests, on small files of tests."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent

LEAVES = """
import mlflow

def test_it() -> None:
    mlflow.set_tracking_uri("sqlite:///of_another_file.db")
"""
FINDS = """
import os
import mlflow

def test_it() -> None:
    assert not mlflow.is_tracking_uri_set()
    assert "MLFLOW_TRACKING_URI" not in os.environ
"""
SLOW = """
import subprocess
import sys
import pytest

def test_imports() -> None:
    import mlflow

def test_starts_rootflow() -> None:
    subprocess.run([sys.executable, "-m", "rootflow"])

@pytest.mark.slow
def test_is_slow() -> None:
    assert False

def test_is_quick() -> None:
    subprocess.run(["true"], check=True)
"""


def said_of(directory: Path, files: dict[str, str], *options: str) -> str:
    """Return the last line of pytest's answer on these files."""
    for name, text in files.items():
        (directory / name).write_text(text)
    answer = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "conftest",
            "-p",
            "no:cacheprovider",
            "-q",
            *options,
        ],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
    )
    return answer.stdout.splitlines()[-1]


def test_no_file_finds_what_mlflow_was_told_in_another(tmp_path: Path) -> None:
    said = said_of(tmp_path, {"test_a.py": LEAVES, "test_b.py": FINDS})
    assert said.startswith("2 passed")


def test_quick_leaves_out_what_is_slow_to_start(tmp_path: Path) -> None:
    marker = ["-o", "markers=slow: takes long"]
    said = said_of(tmp_path, {"test_a.py": SLOW}, "--quick", *marker)
    assert said.startswith("1 passed, 2 skipped, 1 deselected")
