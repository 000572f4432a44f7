"""Copies of rootflow's source with changes."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "src" / "rootflow"


def changed(directory: Path, *changes: tuple[str, str, str]) -> Path:
    """Return the package's folder in a copy, in whose files one text stands for another."""
    package = directory / "rootflow"
    others = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, package, copy_function=os.symlink, ignore=others)
    for file, before, after in changes:
        rewrite(package / file, lambda text, b=before, a=after: _replaced(text, b, a))
    return package


def rewrite(path: Path, change: Callable[[str], str]) -> None:
    """Put a changed file in place of a link to the original."""
    text = path.read_text()
    path.unlink()
    path.write_text(change(text))


def _replaced(text: str, before: str, after: str) -> str:
    if text.count(before) != 1:
        raise ValueError(f"{before!r} is there {text.count(before)} times")
    return text.replace(before, after)
