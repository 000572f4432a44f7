"""How much of the machine is ours."""

import os


def usable_cores() -> int:
    """Return how many CPU cores this process may use: a batch system may give it a few only."""
    return len(os.sched_getaffinity(0))
