"""What a sample consists of, where it is kept, its seeds and the numbers of its events.

Both are the same for the same event, and never the same for two: an event number has 63 bits, 31
of the seed, 3 of the process, 15 of the chunk, 14 of the event in its chunk.
"""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.config.block import digest_of
from rootflow.config.simulation import ProcessConfig
from rootflow.errors import UsageError
from rootflow.simulation.processes import PROCESSES, tree_of
from rootflow.sources import PACKAGE, digest_of_places

GENERATORS = ("pythia8mc", "fastjet")
FINISHED = "simulation.json"
SEED_BITS, CHUNK_BITS, EVENT_BITS = 31, 15, 14
PROCESS_BITS = 3
# The range of Pythia's Random:seed is 1 to this.
PYTHIA_SEEDS = 900_000_000


def code_digest(process: str, package: Path = PACKAGE) -> str:
    """Return the name of the code that decides the events of a process."""
    ours = PROCESSES[process]
    others = set[str]().union(*(other.own_code for other in PROCESSES.values()))
    begins = [("rootflow.simulation.sample", "simulate"), (ours.final_state.module, "observe")]
    return digest_of_places(begins, sorted(others - ours.own_code), package)


@dataclass(frozen=True)
class SimulationPlan:
    """One sample: configuration, seed, and the directory that it is made in.

    A seed or a number of chunks that does not fit into event numbers is a UsageError.
    """

    config: ProcessConfig
    seed: int
    directory: Path

    def __post_init__(self) -> None:
        for what, number, bits in (
            ("the seed", self.seed, SEED_BITS),
            ("the number of the last chunk", self.chunks - 1, CHUNK_BITS),
        ):
            if not 0 <= number < 2**bits:
                raise UsageError(
                    f"simulation: {what} is {number}, but event numbers have room for"
                    f" 0 to {2**bits - 1}"
                )

    @property
    def chunks(self) -> int:
        """The number of chunks."""
        return -(-self.config.events // self.config.events_per_chunk)

    def events_of(self, chunk: int) -> int:
        """Return the number of events of a chunk: the last one may be smaller."""
        size = self.config.events_per_chunk
        return min(size, self.config.events - chunk * size)

    @property
    def tree(self) -> str:
        """The tree of the files: that of the experiments' own ntuples."""
        return tree_of(self.config)

    @property
    def description(self) -> dict[str, Any]:
        """All that decides what the events are."""
        return {
            "config": self.config.model_dump(mode="json", exclude={"workers"}),
            "seed": self.seed,
            "code": code_digest(self.config.process),
            "generators": {name: version(name) for name in GENERATORS},
        }

    @property
    def digest(self) -> str:
        """A name for the sample: another one where any event would be another."""
        return digest_of(self.description)

    def chunk_path(self, chunk: int) -> Path:
        """Return where a finished chunk is kept until the sample is whole."""
        return self.chunk_directory / f"chunk_{chunk:06d}.root"

    @property
    def chunk_directory(self) -> Path:
        """The directory of the chunks of this sample and no other."""
        return self.directory / f".chunks-{self.digest}"

    @property
    def manifest_path(self) -> Path:
        """What says that the sample is finished, and which one it is."""
        return self.directory / FINISHED

    def file_chunks(self) -> dict[Path, range]:
        """Return the finished files and which chunks go into each."""
        per_file = max(self.config.events_per_file // self.config.events_per_chunk, 1)
        starts = range(0, self.chunks, per_file)
        name = f"{self.config.process}_s{self.seed}"
        return {
            self.directory / f"{name}_{number:03d}.root": range(
                start, min(start + per_file, self.chunks)
            )
            for number, start in enumerate(starts)
        }


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
