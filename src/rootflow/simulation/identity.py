"""Seeds and event numbers: the same for the same event, never the same for two.

An event number has 63 bits: 31 of the seed, 3 of the process, 15 of the chunk, 14 of the
event in its chunk.
"""

import numpy as np
from numpy.typing import NDArray

from rootflow.errors import UsageError

SEED_BITS, CHUNK_BITS, EVENT_BITS = 31, 15, 14
PROCESS_BITS = 3
# The range of Pythia's Random:seed is 1 to this.
PYTHIA_SEEDS = 900_000_000


def check_limits(seed: int, chunks: int, events_per_chunk: int) -> None:
    """Refuse what does not fit into an event number."""
    for what, highest, bits in (
        ("the seed", seed, SEED_BITS),
        ("the number of the last chunk", chunks - 1, CHUNK_BITS),
        ("the number of the last event of a chunk", events_per_chunk - 1, EVENT_BITS),
    ):
        if not 0 <= highest < 2**bits:
            raise UsageError(
                f"simulation: {what} is {highest}, but event numbers have room for"
                f" 0 to {2**bits - 1}"
            )


def stream_of(process: int, chunk: int) -> int:
    """Return the number of a chunk among those of all processes, which have numbers too."""
    return (process << CHUNK_BITS) + chunk


def event_numbers(seed: int, stream: int, events: int) -> NDArray[np.int64]:
    """Return the event numbers of a chunk."""
    first = (seed << (PROCESS_BITS + CHUNK_BITS + EVENT_BITS)) + (stream << EVENT_BITS)
    return first + np.arange(events, dtype=np.int64)


def pythia_seed(seed: int, stream: int) -> int:
    """Return Pythia's seed for a chunk: no two chunks of one seed share it."""
    start = int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])
    return 1 + (start + stream) % PYTHIA_SEEDS


def detector_generator(seed: int, stream: int) -> np.random.Generator:
    """Return the random numbers of the detector for a chunk."""
    return np.random.default_rng(np.random.SeedSequence((seed, stream)))
