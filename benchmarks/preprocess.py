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

from rootflow.config import DataConfig, LabelledDataConfig
from rootflow.dataset import build
from rootflow.dataset.expected_events import wanted_for
from rootflow.ntuple import find_files, load_branch_map
from rootflow.ntuple.four_leptons import load_four_lepton_map, quantities_for
from rootflow.ntuple.four_leptons.reading import branches_of
from rootflow.ntuple.reading import CHUNK_BYTES

REPETITIONS = 9


class Question(NamedTuple):
    """What is preprocessed, and what a plain read of it reads."""

    config: DataConfig | LabelledDataConfig
    sample: str
    tree: str | None
    branches: list[str]


def ttbar() -> Question:
    config = DataConfig.model_validate({"weights": {"negative": "keep"}})
    branch_map = load_branch_map(config.branch_map)
    return Question(config, "ttbar", branch_map.tree, branch_map.as_in(()).branches())


def h4l() -> Question:
    weights = {"negative": "keep", "luminosity_fb_inverse": 10, "sum_of_weights": "per_file"}
    config = LabelledDataConfig.model_validate(
        {"samples": {"events": {"label": "background"}}, "weights": weights}
    )
    name, sample = config.branch_map, config.samples["events"]
    branch_map = load_four_lepton_map(name)
    quantities = quantities_for(config.selection, branch_map, name)
    wanted = wanted_for(quantities, "events", sample, branch_map, name)
    return Question(config, "events", branch_map.tree, branches_of(branch_map, wanted))


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
    return len(build(question.config, {question.sample: files}, directory))


def seconds(work: Callable[[], int]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
