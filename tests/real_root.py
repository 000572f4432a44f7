"""ROOT itself, in an environment of its own: what it writes, and what it reads of a file."""

import functools
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from made_by_script import made_by_script

PROJECT = Path(__file__).parents[1]
PROGRAM = Path(__file__).with_name("asked_root.py")


@functools.cache
def python_of_root() -> str:
    """Return the Python of the environment of ROOT."""
    return made_by_script("real_root.sh", "ROOT is not there")


def ask_root(what: str, folder: Path, *arguments: str | Path) -> str:
    """Have ROOT do in a folder what a function of `asked_root` does, and return what it prints."""
    return _run([PROGRAM, what, *arguments], folder)


def run_by_root(code: str) -> None:
    """Run a program in the working folder."""
    _run(["-c", code], Path.cwd())


def _run(arguments: Sequence[str | Path], folder: Path) -> str:
    command = [python_of_root(), "-W", "ignore", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert run.returncode == 0, run.stdout[-500:] + run.stderr[-3000:]
    return run.stdout


def read_by_root(path: Path, tree: str) -> dict[str, Any]:
    """Return the branches of a tree as ROOT reads them, as lists."""
    read: dict[str, Any] = json.loads(ask_root("read", path.parent, path.name, tree))
    return read
