import itertools

import numpy as np
import pytest

from rootflow.errors import UsageError
from rootflow.simulation.plan import (
    check_limits,
    event_numbers,
    pythia_seed,
    stream_of,
)
from rootflow.simulation.processes import PROCESSES

PROCESS_NUMBERS = [process.number for process in PROCESSES.values()]


def test_event_numbers_are_unique_over_seeds_chunks_and_events() -> None:
    seeds = [0, 1, 42, 2**31 - 1]
    chunks = [0, 1, 39, 2**15 - 1]
    numbers = np.concatenate(
        [
            event_numbers(seed, stream_of(process, chunk), 500)
            for seed, process, chunk in itertools.product(seeds, PROCESS_NUMBERS, chunks)
        ]
    )
    assert len(np.unique(numbers)) == len(seeds) * len(PROCESSES) * len(chunks) * 500
    assert numbers.dtype == np.int64
    assert numbers.min() == 0


def test_event_numbers_say_where_the_event_is_from() -> None:
    number = int(event_numbers(42, stream_of(2, 7), events=4)[3])
    assert number >> 32 == 42
    assert number >> 29 & 0b111 == 2
    assert number >> 14 & (2**15 - 1) == 7
    assert number & (2**14 - 1) == 3


def test_the_largest_event_number_fits() -> None:
    check_limits(2**31 - 1, 2**15, 2**14)
    assert event_numbers(2**31 - 1, 2**18 - 1, 2**14)[-1] == np.iinfo(np.int64).max
    assert max(stream_of(process, 2**15 - 1) for process in PROCESS_NUMBERS) < 2**18


@pytest.mark.parametrize(
    ("seed", "chunks", "events", "what"),
    [
        (-1, 1, 1, "the seed"),
        (2**31, 1, 1, "the seed"),
        (1, 2**15 + 1, 1, "the number of the last chunk"),
        (1, 1, 2**14 + 1, "the last event of a chunk"),
    ],
)
def test_what_does_not_fit_is_refused(seed: int, chunks: int, events: int, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        check_limits(seed, chunks, events)


def test_chunks_of_a_seed_never_share_pythia_seeds() -> None:
    seeds = [
        pythia_seed(42, stream_of(process, chunk))
        for process in PROCESS_NUMBERS
        for chunk in range(1000)
    ]
    assert len(set(seeds)) == 1000 * len(PROCESSES)
    assert all(1 <= seed <= 900_000_000 for seed in seeds)
    assert pythia_seed(43, 0) not in seeds
