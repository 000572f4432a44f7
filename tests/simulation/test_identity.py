import itertools
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from rootflow.config.simulation import SimulationConfig
from rootflow.errors import UsageError
from rootflow.simulation.plan import SimulationPlan, event_numbers, pythia_seed, stream_of
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
    config = SimulationConfig(events=2**29, events_per_chunk=2**14)
    assert SimulationPlan(config, 2**31 - 1, Path()).chunks == 2**15
    assert event_numbers(2**31 - 1, 2**18 - 1, 2**14)[-1] == np.iinfo(np.int64).max
    assert max(stream_of(process, 2**15 - 1) for process in PROCESS_NUMBERS) < 2**18


@pytest.mark.parametrize(
    ("seed", "chunks", "what"),
    [
        (-1, 1, "the seed"),
        (2**31, 1, "the seed"),
        (1, 2**15 + 1, "the number of the last chunk"),
    ],
)
def test_what_does_not_fit_is_refused(seed: int, chunks: int, what: str) -> None:
    config = SimulationConfig(events=chunks, events_per_chunk=1)
    with pytest.raises(UsageError, match=what):
        SimulationPlan(config, seed, Path())


def test_more_events_of_a_chunk_than_fit_are_refused() -> None:
    with pytest.raises(ValidationError, match="events_per_chunk"):
        SimulationConfig(events_per_chunk=2**14 + 1)


def test_chunks_of_a_seed_never_share_pythia_seeds() -> None:
    seeds = [
        pythia_seed(42, stream_of(process, chunk))
        for process in PROCESS_NUMBERS
        for chunk in range(1000)
    ]
    assert len(set(seeds)) == 1000 * len(PROCESSES)
    assert all(1 <= seed <= 900_000_000 for seed in seeds)
    assert pythia_seed(43, 0) not in seeds
