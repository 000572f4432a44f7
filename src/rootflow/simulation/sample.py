"""A whole sample: chunks made by workers, then put together to a few files."""

import importlib.util
import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.process import BaseProcess
from pathlib import Path

from rootflow.config.simulation import ProcessConfig, WeightedProcessConfig
from rootflow.errors import InputError, RootflowError, UsageError
from rootflow.files import alone_in, whole_file
from rootflow.progress import progress
from rootflow.simulation.plan import GENERATORS, SimulationPlan
from rootflow.workers import workers

STDOUT = 1


def simulate(config: ProcessConfig, seed: int, directory: Path) -> list[Path]:
    """Simulate a sample, or go on with it where an earlier call was stopped.

    The sample depends on the configuration (all but the number of workers) and the seed
    alone. A call that finds it finished returns at once.

    Parameters
    ----------
    config
        What to generate, and the detector that sees it.
    seed
        0 to 2**31 - 1. It is part of the event numbers, and so is the process: two seeds
        or processes never share one.
    directory
        For one sample. Once it is finished, there are its ROOT files and
        `simulation.json`, which says what they are.

    Returns
    -------
    The ROOT files. Tree `reco` of two leptons, `mini` of four, momenta in MeV.

    Raises
    ------
    UsageError
        The configuration cannot be simulated, or the directory has another sample.
    RootflowError
        Pythia or FastJet is not installed, or a worker died.
    """
    _require_generators()
    plan = SimulationPlan(config, seed, directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{directory}: cannot make this directory: {error.strerror}") from None
    if not _is_finished(plan):
        with alone_in(directory):
            if not _is_finished(plan):
                _make_missing_chunks(plan)
                _put_together(plan)
    shutil.rmtree(plan.chunk_directory, ignore_errors=True)
    return list(plan.file_chunks())


def digest(config: ProcessConfig, seed: int) -> str:
    """Return the name of a sample: another one where any event would be another.

    Raises
    ------
    RootflowError
        Pythia or FastJet is not installed: their versions are part of it.
    """
    _require_generators()
    return SimulationPlan(config, seed, Path()).digest


def _require_generators() -> None:
    missing = [name for name in GENERATORS if importlib.util.find_spec(name) is None]
    if missing:
        raise RootflowError(
            f"simulate needs {' and '.join(missing)}: pip install 'rootflow[simulation]'"
        )


def _is_finished(plan: SimulationPlan) -> bool:
    if not plan.manifest_path.exists():
        return False
    try:
        there = json.loads(plan.manifest_path.read_text())["digest"]
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{plan.manifest_path}: not what simulate writes; remove it") from None
    if there != plan.digest:
        raise UsageError(
            f"{plan.directory} has another sample (digest {there}, this one is {plan.digest}):"
            " name another directory, or remove it"
        )
    return all(path.exists() for path in plan.file_chunks())


def _make_missing_chunks(plan: SimulationPlan) -> None:
    missing = [chunk for chunk in range(plan.chunks) if not plan.chunk_path(chunk).exists()]
    with progress("simulate", plan.config.events, "events") as advance:
        for chunk in set(range(plan.chunks)).difference(missing):
            advance(plan.events_of(chunk))
        for chunk in make_chunks(plan, missing):
            advance(plan.events_of(chunk))


def _put_together(plan: SimulationPlan) -> None:
    from rootflow.simulation.ntuple import (
        cross_section_pb,
        normalise,
        read_generation,
        read_ntuples,
        write_ntuple,
    )

    generation = read_generation([plan.chunk_path(chunk) for chunk in range(plan.chunks)])
    facts: dict[str, float] = {"generated_events": generation.events}
    if isinstance(plan.config, WeightedProcessConfig):
        facts["cross_section_pb"] = cross_section_pb(plan.config, generation)
    for path, chunks in plan.file_chunks().items():
        ntuple = read_ntuples([plan.chunk_path(chunk) for chunk in chunks], plan.tree)
        if isinstance(plan.config, WeightedProcessConfig):
            ntuple = normalise(ntuple, facts["cross_section_pb"])
        # Half-written files stay with the chunks, and go with them.
        beside_chunks = plan.chunk_directory / path.name
        write_ntuple(ntuple, plan.tree, beside_chunks)
        beside_chunks.replace(path)
    manifest = plan.description | {"digest": plan.digest} | facts
    with whole_file(plan.manifest_path) as partial:
        partial.write_text(json.dumps(manifest, indent=2) + "\n")


def make_chunks(plan: SimulationPlan, chunks: Sequence[int]) -> Iterator[int]:
    """Make the chunks and write them where the plan says, yielding each when it is there.

    What a worker raises, or that one died, stops the others.
    """
    processes = max(min(plan.config.workers, len(chunks)), 1)
    started: list[BaseProcess] = []
    with workers(processes, _be_quiet) as executor:
        try:
            futures = [executor.submit(_make, plan, chunk) for chunk in chunks]
            started += multiprocessing.active_children()
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool:
            executor.shutdown()
            # The others are terminated then; of one that died as it was started nothing is known.
            died = {worker.exitcode for worker in started} - {0, -signal.SIGTERM}
            how = f" (exit status {died.pop()})" if died else ""
            raise RootflowError(
                f"a simulation worker died{how}; finished chunks are kept, start it again to go on"
            ) from None


def _be_quiet() -> None:
    # FastJet greets on standard output, which belongs to the result.
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), STDOUT)


def _make(plan: SimulationPlan, chunk: int) -> int:
    from rootflow.simulation.chunk import make_chunk
    from rootflow.simulation.ntuple import write_ntuple

    made = make_chunk(plan.config, plan.seed, chunk, plan.events_of(chunk))
    write_ntuple(made, plan.tree, plan.chunk_path(chunk))
    return chunk
