"""What builds that were killed leave behind, and how it goes."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rootflow.files import PARTIAL

LOCK = "building.lock"


@contextmanager
def held(partial: Path) -> Iterator[None]:
    """Mark an unfinished directory as being written, for as long as this process lives."""
    lock = partial / LOCK
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
        lock.unlink()


def remove_dead(directory: Path) -> None:
    """Remove unfinished datasets that no living process writes."""
    for lock in directory.glob(f".*{PARTIAL}*/{LOCK}"):
        try:
            with lock.open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent)
        except (BlockingIOError, FileNotFoundError):
            continue  # being written, or finished meanwhile
