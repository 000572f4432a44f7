"""Preprocessing against a plain uproot read of the same branches, in the same run.

For one process and for two, against a commit before where one is named, and where the time goes.
"""

import argparse
import glob
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import uproot

from rootflow.config.data import DataConfig, DileptonDataConfig, FourLeptonDataConfig
from rootflow.dataset import build
from rootflow.dataset.event_reader import EventReader
from rootflow.dataset.reading import Reading
from rootflow.dataset.readings.dilepton import Dilepton
from rootflow.dataset.readings.four_leptons import FourLeptons
from rootflow.ntuple.reading import CHUNK_BYTES

REPETITIONS = 5
ROOT = Path(__file__).parents[1]
# What is done in each stage beside what is done in others, as MODULE:NAME.
STAGES = {
    "checksum of inputs": ["rootflow.dataset.build:file_contents"],
    "open": ["rootflow.formats.root:open_root", "rootflow.formats.root:_find_tree"],
    "read": [
        "rootflow.formats.root_files:NearSource.chunks",
        "rootflow.formats.root_files:NearSource.chunk",
    ],
    "decompress": ["uproot.compression:decompress"],
    "interpret": ["rootflow.formats.trees:Tree.read"],
    "convert": ["rootflow.ntuple.reading:_chunk"],
    "select": ["rootflow.dataset.event_reader:EventReader.select"],
    "hash of events": ["rootflow.dataset.parts:part_of_all"],
    "write": ["rootflow.dataset.arrays:ArrayWriters.write"],
    "repeated events": [
        "rootflow.dataset.repeated:AllEvents.without_repeats",
        "rootflow.dataset.repeated:AllEvents.finish",
        "rootflow.dataset.build:repeated_numbers",
    ],
    "hash of arrays": [
        "rootflow.dataset.digest:Contents.sha256_of",
        "rootflow.dataset.build:digest_of_simulation",
    ],
}


class Question(NamedTuple):
    """What is preprocessed, and what a plain read of it reads."""

    config: DataConfig
    sample: str
    tree: str | None
    branches: list[str]
    reading: Reading


def ttbar() -> Question:
    config = DileptonDataConfig.model_validate({"weights": {"negative": "keep"}})
    return _question(config, "ttbar", Dilepton.of(config))


def h4l() -> Question:
    weights = {"negative": "keep", "luminosity_fb_inverse": 10, "sum_of_weights": "per_file"}
    config = FourLeptonDataConfig.model_validate(
        {"samples": {"events": {"label": "background"}}, "weights": weights}
    )
    return _question(config, "events", FourLeptons.of(config))


def _question(config: DataConfig, sample: str, reading: Reading) -> Question:
    branch_map = EventReader(reading, config.branch_map, collisions=False).branch_map
    return Question(config, sample, branch_map.tree, branch_map.as_in(()).branches(), reading)


ANALYSES = {"ttbar": ttbar, "h4l": h4l}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", default=["data/ttbar/*.root"], help="ntuples or globs")
    parser.add_argument("--analysis", choices=ANALYSES, default="ttbar")
    parser.add_argument("--before", metavar="REV", help="a commit whose build is timed, too")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--one-build", metavar="WORKERS", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    files = [Path(path) for text in arguments.files for path in sorted(glob.glob(text))]  # noqa: PTH207
    question = ANALYSES[arguments.analysis]()
    if arguments.one_build is not None:
        with tempfile.TemporaryDirectory() as scratch:
            print(one_build(question, files, Path(scratch), arguments.one_build))
        return
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        again = [*files, "--analysis", arguments.analysis]
        reading = {name: [] for name in ("uproot.iterate", *LAYERS)}
        builds: dict[str, tuple[Path, int]] = {"one process": (ROOT, 1), "two processes": (ROOT, 2)}
        if arguments.before:
            place = stack.enter_context(worktree(arguments.before, Path(scratch) / "before"))
            builds[f"at {arguments.before}"] = (place, 0)
        built: dict[str, list[float]] = {name: [] for name in builds}
        events = read(question, files)
        for _ in range(arguments.repetitions):
            reading["uproot.iterate"].append(seconds(partial(read, question, files)))
            for name, layer in LAYERS.items():
                reading[name].append(seconds(partial(layer, question, files)))
            for name, (place, workers) in builds.items():
                built[name].append(in_process_of_its_own(place, workers, again))
    # The fastest of each is what other processes disturbed least.
    plain = min(reading.pop("uproot.iterate"))
    found = {**reading, **{f"whole build, {name}": times for name, times in built.items()}}
    before = min(built.get(f"at {arguments.before}", [0.0]))
    for name, times in found.items():
        line = {
            "name": f"preprocess {arguments.analysis}: {name}",
            "value": round(events / min(times)),
            "unit": "events/s",
            "reference": "uproot.iterate of the same branches",
            "ratio": round(plain / min(times), 3),
        }
        if before and name.startswith("whole build"):
            line[f"times_that_of_{arguments.before}"] = round(before / min(times), 2)
        print(json.dumps(line))
    for stage, share in stages(question, files).items():
        print(f"{stage:20} {share:6.1%}")


def read(question: Question, files: Sequence[Path]) -> int:
    chunks = uproot.iterate(
        [f"{path}:{question.tree}" for path in files],
        question.branches,
        step_size=f"{CHUNK_BYTES} B",
    )
    return sum(len(chunk) for chunk in chunks)


def read_table(question: Question, files: Sequence[Path]) -> int:
    from rootflow.formats import open_table

    events = 0
    for path in files:
        with open_table(path, question.tree) as table:
            there = set(table.names())
            names = [name for name in question.branches if name in there]
            chunks = table.chunks(names, question.reading.chunk_bytes)
            events += sum(len(next(iter(arrays.values()))) for _, arrays in chunks)
    return events


def read_events(question: Question, files: Sequence[Path]) -> int:
    from rootflow.ntuple import read_chunks

    branch_map = EventReader(question.reading, question.config.branch_map, False).branch_map
    return sum(
        len(chunk)
        for path in files
        for chunk in read_chunks(path, branch_map, question.reading.chunk_bytes)
    )


LAYERS = {"branches as arrays": read_table, "events in GeV, checked": read_events}


def one_build(question: Question, files: Sequence[Path], scratch: Path, workers: int) -> float:
    """Return how long a build takes, which digests the files and writes the dataset, too."""
    config = question.config
    if workers:
        config = config.model_copy(update={"workers": workers})
    build(config, {question.sample: files[:1]}, scratch / "first", question.reading)
    start = time.perf_counter()
    build(config, {question.sample: files}, scratch / "second", question.reading)
    return time.perf_counter() - start


def in_process_of_its_own(place: Path, workers: int, arguments: Sequence[Any]) -> float:
    """Return how long a build takes with the source of a checkout."""
    command = [sys.executable, __file__, "--one-build", str(workers), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(place / "src")}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout.split()[-1])


@contextmanager
def worktree(revision: str, place: Path) -> Iterator[Path]:
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(place), revision], check=True)
    try:
        yield place
    finally:
        subprocess.run([*git, "remove", "--force", str(place)], check=True)


def stages(question: Question, files: Sequence[Path]) -> dict[str, float]:
    """Return the share of each stage in the time of a build in one process."""
    spent = dict.fromkeys([*STAGES, "all else"], 0.0)
    running = ["all else"]
    last = time.perf_counter()

    def switch() -> None:
        nonlocal last
        now = time.perf_counter()
        spent[running[-1]] += now - last
        last = now

    def timed(stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(work)
        def call(*args: Any, **options: Any) -> Any:
            switch()
            running.append(stage)
            try:
                return work(*args, **options)
            finally:
                switch()
                running.pop()

        return call

    config = question.config.model_copy(update={"workers": 1})
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        for stage, names in STAGES.items():
            for name in names:
                module, _, path = name.partition(":")
                owner: Any = importlib.import_module(module)
                *outer, attribute = path.split(".")
                for each in outer:
                    owner = getattr(owner, each)
                patched = timed(stage, getattr(owner, attribute))
                stack.enter_context(mock.patch.object(owner, attribute, patched))
        build(config, {question.sample: files[:1]}, Path(scratch) / "first", question.reading)
        switch()
        spent = dict.fromkeys(spent, 0.0)
        build(config, {question.sample: files}, Path(scratch) / "second", question.reading)
        switch()
    total = sum(spent.values())
    return {stage: time_of_it / total for stage, time_of_it in spent.items()}


def seconds(work: Callable[[], int]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
