"""What builds that were killed leave behind, and how it goes."""

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rootflow.files import PARTIAL

LOCK = "building.lock"


@contextmanager
def held(partial: Path) -> Iterator[None]:
    """Mark an unfinished directory as being written, for as long as this process lives.

    On a file system without locks there is no mark, and nobody removes what is left.
    """
    lock = partial / LOCK
    unlocked = partial / f"{LOCK}.new"
    with unlocked.open("w") as file:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
            unlocked.rename(lock)  # it appears only when it is locked
        yield
        lock.unlink(missing_ok=True)
        unlocked.unlink(missing_ok=True)


def remove_dead(directory: Path) -> None:
    """Remove unfinished datasets that no living process writes."""
    for lock in directory.glob(f".*{PARTIAL}*/{LOCK}"):
        # No lock: being written. No file: finished meanwhile.
        with contextlib.suppress(OSError), lock.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if lock.exists():
                shutil.rmtree(lock.parent)
