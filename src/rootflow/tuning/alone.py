"""One driver for each study."""

import fcntl
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager

from rootflow.errors import UsageError
from rootflow.tuning.study import Place

LOCK = "driver.lock"


@contextmanager
def only_driver(place: Place) -> Iterator[None]:
    """Keep other drivers from the study, on whichever machine.

    Raises
    ------
    UsageError
        Another one is at work.
    """
    place.directory.mkdir(parents=True, exist_ok=True)
    with (place.directory / LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise UsageError(
                f"{place.directory}: another driver is at work on this study "
                f"({lock.read().strip()}): wait for it or stop it"
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {platform.node()}\n")
        lock.flush()
        yield
