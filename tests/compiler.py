"""C++ that is compiled against the onnxruntime of this environment, and run."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
ONNXRUNTIME = PROJECT / ".onnxruntime"
STRICT = ["-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]


def compiled(source: Path) -> Path:
    """Return the program of a source, compiled without any warning.

    Without compiler or headers the test fails on the machines that must have them, those
    with CI in their environment, and is skipped on others.
    """
    compiler = shutil.which("g++")
    if compiler is None:
        _give_up("g++ is not there")
    if not (ONNXRUNTIME / "include" / "onnxruntime_cxx_api.h").exists():
        _give_up("the headers of onnxruntime are not there: run scripts/onnxruntime.sh")
    program = source.with_suffix("")
    answer = subprocess.run(
        [
            str(compiler),
            *STRICT,
            "-isystem",
            str(ONNXRUNTIME / "include"),
            str(source),
            "-o",
            str(program),
            f"-L{ONNXRUNTIME / 'lib'}",
            f"-Wl,-rpath,{ONNXRUNTIME / 'lib'}",
            "-lonnxruntime",
        ],
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    return program


def _give_up(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"no C++ can be compiled: {reason}")
    pytest.skip(f"no C++ can be compiled: {reason}")
