"""The processes of a pool, to be killed by tests, and the files of its jobs."""

import os
from contextlib import suppress
from pathlib import Path

import psutil

from condor_pool import Pool
from rootflow.batch.schedd import htcondor


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


def files_on_nodes(name: str) -> list[Path]:
    """Return the files of a name in the folders of running jobs; they may go at any moment."""
    folders = os.walk(htcondor().param["EXECUTE"])
    return [Path(top, name) for top, _, files in folders if name in files]
