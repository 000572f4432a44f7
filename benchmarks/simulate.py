"""Selected events per second of one core, against Pythia alone: the upper bound of any detector."""

import argparse
import contextlib
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rootflow.analysis import analysis_named
from rootflow.config import load
from rootflow.config.simulation import ProcessConfig
from rootflow.simulation.chunk import Generator, make_chunk

REPETITIONS = 3
SELECTED = {True: 200, False: 400}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("configs/ttbar.yaml"))
    config = load(parser.parse_args().config)
    for process in analysis_named(config.analysis).processes(config).values():
        for interactions in (True, False):
            report(process, interactions)


def report(process: ProcessConfig, interactions: bool) -> None:
    """Print the rates of one process, with or without multiparton interactions."""
    generator = process.generator.model_copy(update={"multiparton_interactions": interactions})
    config = process.model_copy(update={"generator": generator})
    with without_standard_output():
        rates = [measure(config, repetition) for repetition in range(REPETITIONS + 1)][1:]
    selected, generated = (statistics.median(column) for column in zip(*rates, strict=True))
    print(
        json.dumps(
            {
                "name": f"simulate_{process.process}_{'with' if interactions else 'without'}_mpi",
                "value": round(selected, 1),
                "unit": "selected events per core second",
                "reference": "events per core second of Pythia's nextBatch alone,"
                f" same process and core: {generated:.1f}",
                "ratio": round(selected / generated, 3),
            }
        )
    )


def measure(config: ProcessConfig, repetition: int) -> tuple[float, float]:
    """Return the rates of a chunk of selected events and of Pythia alone, start-up included."""
    selected = SELECTED[config.generator.multiparton_interactions]
    seconds = core_seconds(lambda: make_chunk(config, repetition, 0, selected))
    bare = core_seconds(lambda: Generator(config, 1 + repetition).events(selected))
    return selected / seconds, selected / bare


def core_seconds(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


@contextlib.contextmanager
def without_standard_output() -> Iterator[None]:
    """Keep FastJet's greeting, which C++ writes, out of the JSON lines."""
    output = os.dup(1)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(output, 1)
        os.close(output)


if __name__ == "__main__":
    main()
