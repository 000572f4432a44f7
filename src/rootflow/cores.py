"""How much of the machine is ours."""

import math
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

GROUP_OF_PROCESS = Path("/proc/self/cgroup")
GROUPS = Path("/sys/fs/cgroup")
CPUS_OF_SLOT = re.compile(r"^Cpus\s*=\s*(\d+)\s*$", re.MULTILINE | re.IGNORECASE)


def usable_cores() -> int:
    """Return how many CPU cores this process may use, at least one.

    That is what its affinity, the quota of its control group (version 2) and, in a job of HTCondor,
    the slot allow. A quota that is no whole number is rounded up.
    """
    return max(1, min([len(os.sched_getaffinity(0)), *_by_quota(), *_of_slot()]))


def _by_quota() -> Iterator[int]:
    """Yield what the control group allows, and each that it is in; nothing where all is allowed."""
    with suppress(OSError):
        lines = GROUP_OF_PROCESS.read_text().splitlines()
        for name in (line.removeprefix("0::/") for line in lines if line.startswith("0::/")):
            group = Path(name)
            for each in (group, *group.parents):
                with suppress(OSError):  # the container shows its own group alone, as the root
                    quota, period = (GROUPS / each / "cpu.max").read_text().split()
                    if quota != "max":
                        yield math.ceil(int(quota) / int(period))


def _of_slot() -> Iterator[int]:
    """Yield what a slot of HTCondor has, by its ad or by what it says of threads."""
    with suppress(KeyError, OSError):  # a container may hide the file
        found = CPUS_OF_SLOT.search(Path(os.environ["_CONDOR_MACHINE_AD"]).read_text())
        if found is not None:
            yield int(found[1])
            return
    if {"_CONDOR_SCRATCH_DIR", "_CONDOR_JOB_AD"} & set(os.environ):
        threads = os.environ.get("OMP_NUM_THREADS", "")
        if threads.isdecimal():
            yield int(threads)
