"""Which fold an event belongs to: a matter of its event number alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.config.data import FoldingConfig


def fold_of(event_number: NDArray[np.integer[Any]], folds: FoldingConfig) -> NDArray[np.uint8]:
    """Return (n,) the fold of each event.

    The hash scheme mixes the number's bits, so that neighbours fall into folds as if by
    lot, and takes the rest on division by the number of folds; the modulo scheme takes that
    rest of the number itself; the parity scheme is the rest on division by two: fold 0 is
    even.

    Parameters
    ----------
    event_number
        (n,) of the ntuple, or what its branch map says instead (`Events.fold_numbers`);
        negative ones count as plus 2^64.
    """
    mixed = mix(event_number) if folds.scheme == "hash" else event_number.astype(np.uint64)
    return (mixed % np.uint64(folds.count)).astype(np.uint8)


def mix(numbers: NDArray[np.integer[Any]]) -> NDArray[np.uint64]:
    """Return the numbers with their bits mixed, no two alike; negative ones as plus 2^64.

    This is SplitMix64 with the number as its seed: G. Steele, D. Lea, C. Flood, Fast
    Splittable Pseudorandom Number Generators, OOPSLA 2014, doi:10.1145/2660193.2660195,
    with the shifts and factors of D. Stafford's mixer 13.
    """
    mixed = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed
