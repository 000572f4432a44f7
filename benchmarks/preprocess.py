"""Preprocessing against a plain uproot read of the same branches, in the same run."""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import uproot

from rootflow.config.data import DataConfig, DileptonDataConfig, FourLeptonDataConfig
from rootflow.dataset import build
from rootflow.dataset.event_reader import EventReader
from rootflow.dataset.reading import Reading
from rootflow.dataset.readings.dilepton import Dilepton
from rootflow.dataset.readings.four_leptons import FourLeptons
from rootflow.formats import find_files
from rootflow.ntuple.reading import CHUNK_BYTES

REPETITIONS = 9


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
    arguments = parser.parse_args()
    files = find_files(arguments.files)
    question = ANALYSES[arguments.analysis]()
    events = read(question, files)
    plain, ours = [], []
    with tempfile.TemporaryDirectory() as scratch:
        preprocess(question, files, Path(scratch) / "first")
        for i in range(REPETITIONS):
            # A new place each time: digesting the files and writing the dataset count too.
            place = Path(scratch) / str(i)
            plain.append(seconds(partial(read, question, files)))
            ours.append(seconds(partial(preprocess, question, files, place)))
            shutil.rmtree(place)
    print(
        json.dumps(
            {
                "name": f"preprocess {arguments.analysis}",
                # The fastest of each is what other processes disturbed least.
                "value": round(events / min(ours)),
                "unit": "events/s",
                "reference": "uproot.iterate of the same branches",
                "ratio": round(min(plain) / min(ours), 3),
            }
        )
    )


def read(question: Question, files: Sequence[Path]) -> int:
    chunks = uproot.iterate(
        [f"{path}:{question.tree}" for path in files],
        question.branches,
        step_size=f"{CHUNK_BYTES} B",
    )
    return sum(len(chunk) for chunk in chunks)


def preprocess(question: Question, files: Sequence[Path], directory: Path) -> int:
    return len(build(question.config, {question.sample: files}, directory, question.reading))


def seconds(work: Callable[[], int]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
