"""Work for other processes: they look for it by the name of its module."""

import os
import time
from pathlib import Path

from rootflow.files import whole_file

_given: list[int] = []


def prepare(*numbers: int) -> None:
    """Keep numbers in this process."""
    _given.extend(numbers)


def times(number: int) -> list[int]:
    """Return the kept numbers, each times another."""
    return [number * each for each in _given]


def work_for_an_hour(told: Path) -> None:
    """Tell which process this is, and go on for as good as ever."""
    with whole_file(told) as partial:
        partial.write_text(str(os.getpid()))
    time.sleep(3600)


def touch(path: Path) -> Path:
    """Make an empty file."""
    path.touch(exist_ok=False)
    return path
