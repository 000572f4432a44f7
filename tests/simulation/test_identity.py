import itertools

import numpy as np
import pytest

from rootflow.errors import UsageError
from rootflow.simulation.identity import check_limits, event_numbers, pythia_seed


def test_event_numbers_are_unique_over_seeds_chunks_and_events() -> None:
    seeds = [0, 1, 42, 2**31 - 1]
    chunks = [0, 1, 39, 2**18 - 1]
    numbers = np.concatenate(
        [event_numbers(seed, chunk, 500) for seed, chunk in itertools.product(seeds, chunks)]
    )
    assert len(np.unique(numbers)) == len(seeds) * len(chunks) * 500
    assert numbers.dtype == np.int64
    assert numbers.min() == 0


def test_event_numbers_say_where_the_event_is_from() -> None:
    number = int(event_numbers(seed=42, chunk=7, events=4)[3])
    assert (number >> 32, number >> 14 & (2**18 - 1), number & (2**14 - 1)) == (42, 7, 3)


def test_the_largest_event_number_fits() -> None:
    check_limits(2**31 - 1, 2**18, 2**14)
    assert event_numbers(2**31 - 1, 2**18 - 1, 2**14)[-1] == np.iinfo(np.int64).max


@pytest.mark.parametrize(
    ("seed", "chunks", "events", "what"),
    [
        (-1, 1, 1, "the seed"),
        (2**31, 1, 1, "the seed"),
        (1, 2**18 + 1, 1, "the number of the last chunk"),
        (1, 1, 2**14 + 1, "the last event of a chunk"),
    ],
)
def test_what_does_not_fit_is_refused(seed: int, chunks: int, events: int, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        check_limits(seed, chunks, events)


def test_chunks_of_a_seed_never_share_pythia_seeds() -> None:
    seeds = [pythia_seed(42, chunk) for chunk in range(1000)]
    assert len(set(seeds)) == 1000
    assert all(1 <= seed <= 900_000_000 for seed in seeds)
    assert pythia_seed(43, 0) not in seeds
