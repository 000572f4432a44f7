"""Event numbers that several files share."""

from pathlib import Path

import numpy as np

from rootflow.dataset.arrays import SUFFIX
from rootflow.dataset.folds import mix

NUMBERS_AT_ONCE = 4_000_000


def repeated_numbers(directory: Path) -> int:
    """Return how many event numbers more than one event of a dataset has.

    No number repeats within a file, so each of these is in several. The numbers are
    looked at in parts of bounded size, the same number always in the same part.
    """
    numbers = np.load(directory / f"event_number{SUFFIX}", mmap_mode="r")
    parts = len(numbers) // NUMBERS_AT_ONCE + 1
    blocks = np.array_split(numbers, parts)
    repeated = 0
    for part in range(parts):
        of_part = [block[mix(block) % np.uint64(parts) == part] for block in blocks]
        _, counts = np.unique(np.concatenate(of_part), return_counts=True)
        repeated += int((counts > 1).sum())
    return repeated
