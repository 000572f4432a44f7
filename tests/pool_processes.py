"""The processes of a pool, to be killed by tests."""

from contextlib import suppress

import psutil

from condor_pool import Pool


def process_named(pool: Pool, name: str) -> psutil.Process:
    """Return the youngest of the pool's processes of a name; others may end meanwhile.

    The children of such a process have its name until they become another program.
    """
    assert pool.pid is not None
    found = {}
    for process in psutil.Process(pool.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            parent = process.parent()
            if process.name() == name and parent is not None and parent.name() != name:
                found[process.create_time()] = process
    return found[max(found)]
