"""What a sample consists of, and where it is kept."""

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rootflow.config.simulation import ProcessConfig
from rootflow.simulation.identity import check_limits
from rootflow.simulation.processes import PROCESSES
from rootflow.sources import PACKAGE, digest_of_places

GENERATORS = ("pythia8mc", "fastjet")
FINISHED = "simulation.json"


def code_digest(process: str, package: Path = PACKAGE) -> str:
    """Return the name of the code that decides the events of a process."""
    ours = PROCESSES[process]
    others = set[str]().union(*(other.own_code for other in PROCESSES.values()))
    begins = [("rootflow.simulation.sample", "simulate"), (ours.final_state.module, "observe")]
    return digest_of_places(begins, sorted(others - ours.own_code), package)


@dataclass(frozen=True)
class SamplePlan:
    """One sample: configuration, seed, and the directory that it is made in.

    A seed or a size that does not fit into event numbers is a UsageError.
    """

    config: ProcessConfig
    seed: int
    directory: Path

    def __post_init__(self) -> None:
        check_limits(self.seed, self.chunks, self.config.events_per_chunk)

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
        return PROCESSES[self.config.process].final_state.tree

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
        text = json.dumps(self.description, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

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
