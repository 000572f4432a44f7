"""Preprocessing against a plain uproot read of the same branches, in the same run."""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import uproot

from rootflow.config import DataConfig
from rootflow.dataset import build
from rootflow.ntuple import find_files, load_branch_map
from rootflow.ntuple.reading import CHUNK_BYTES

REPETITIONS = 9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", default=["data/ttbar/*.root"], help="ntuples or globs")
    files = find_files(parser.parse_args().files)
    config = DataConfig.model_validate({"weights": {"negative": "keep"}})
    branch_map = load_branch_map(config.branch_map)

    def read() -> int:
        chunks = uproot.iterate(
            [f"{path}:{branch_map.tree}" for path in files],
            branch_map.branches(),
            step_size=f"{CHUNK_BYTES} B",
        )
        return sum(len(chunk) for chunk in chunks)

    def preprocess(directory: Path) -> int:
        return len(build(config, {"ttbar": files}, directory))

    events = read()
    plain, ours = [], []
    with tempfile.TemporaryDirectory() as scratch:
        preprocess(Path(scratch) / "first")
        for i in range(REPETITIONS):
            # A new place each time: digesting the files and writing the dataset count too.
            place = Path(scratch) / str(i)
            plain.append(seconds(read))
            ours.append(seconds(partial(preprocess, place)))
            shutil.rmtree(place)
    print(
        json.dumps(
            {
                "name": "preprocess",
                # The fastest of each is what other processes disturbed least.
                "value": round(events / min(ours)),
                "unit": "events/s",
                "reference": "uproot.iterate of the same branches",
                "ratio": round(min(plain) / min(ours), 3),
            }
        )
    )


def seconds(work: Callable[[], int]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
