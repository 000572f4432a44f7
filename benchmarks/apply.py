"""Applying a network of ttbar to ROOT files, against a bare copy by uproot in the same run."""

import argparse
import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import awkward as ak
import psutil
import uproot

from rootflow.formats import find_files

REPETITIONS = 5
GIGABYTE = 2**30
SECONDS_BETWEEN_LOOKS = 0.05
TREE = "reco"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", default=["data/ttbar/*.root"], help="ntuples or globs")
    parser.add_argument("--config", type=Path, default=Path("configs/ttbar-feed-forward.yaml"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--format", choices=["ttree", "rntuple", "parquet"], default="ttree")
    arguments = parser.parse_args()
    files = find_files(arguments.files)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        # In a process of its own: TensorFlow is no part of what is measured.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            name, model = pool.apply(exported, (arguments.config, files[0], folder / "export"))
        copies, ours, peaks = [], [], []
        for place in range(REPETITIONS):
            output = folder / f"{place}.{'parquet' if arguments.format == 'parquet' else 'root'}"
            copies.append(seconds(lambda: copy(files, folder / "copy.root")))
            command = [sys.executable, "-m", "rootflow", "apply", "--model", str(model)]
            command += ["--seen-events=score", f"--workers={arguments.workers}", "--json"]
            if arguments.format == "rntuple":
                command.append("--format=rntuple")
            start = time.perf_counter()
            peaks.append(peak_memory([*command, *map(str, files), str(output)]))
            ours.append(time.perf_counter() - start)
        events = sum(uproot.open(path)[TREE].num_entries for path in files)
        print(
            json.dumps(
                {
                    "name": f"apply_{name}_{arguments.format}_{arguments.workers}_workers",
                    # The fastest of each is what other processes disturbed least.
                    "value": round(events / min(ours)),
                    "unit": "events/s",
                    "reference": "copy of the same files with uproot alone, one process",
                    "ratio": round(min(copies) / min(ours), 3),
                    "peak_memory_gb": round(max(peaks), 3),
                    "bytes_per_event": round(output.stat().st_size / events),
                    "bytes_per_event_before": round(
                        sum(path.stat().st_size for path in files) / events
                    ),
                }
            )
        )


def exported(path: Path, ntuple: Path, directory: Path) -> tuple[str, Path]:
    """Return the name of an untrained network, and its file: it takes as long as a trained one."""
    from rootflow.config import load
    from rootflow.dataset import build
    from rootflow.dataset.readings.dilepton import Dilepton
    from rootflow.export.about import About
    from rootflow.export.preparation import prepare
    from rootflow.export.writing import write
    from rootflow.models.architectures import build_model
    from rootflow.models.normalisation import fit_normalisation

    config = load(path)
    reading = Dilepton.of(config.data)
    dataset = build(config.data, {"ttbar": [ntuple]}, directory.parent / "datasets", reading)
    events = dataset.events(slice(0, 5_000))
    normalisation = fit_normalisation([(events, events.weight)])
    model = build_model(config.model, events.features, config.data.max_jets, normalisation)
    about = About(
        task="reconstruction",
        analysis=config.analysis,
        name=config.model.name,
        folds=config.data.folds,
        units={
            collection: {feature.name: feature.unit for feature in features}
            for collection, features in dataset.manifest.features.items()
        },
        branch_map=config.data.branch_map,
        selection=reading.model_dump(mode="json"),
        provenance={},
        held_out=config.data.folds.in_turn()[0].held_out,
    )
    (made,) = write([prepare(model, events, about, config.export)], directory)
    return config.model.name, made.named_path


def copy(files: Sequence[Path], output: Path) -> None:
    with uproot.recreate(output) as file:
        tree = None
        for chunk in uproot.iterate([f"{path}:{TREE}" for path in files], how=dict):
            if tree is None:
                types = {name: ak.type(array).content for name, array in chunk.items()}
                tree = file.mktree(TREE, types)
            tree.extend(chunk)


def peak_memory(command: Sequence[str]) -> float:
    """Return the largest memory in GiB of a command and its children, shared pages in each."""
    process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    largest = 0
    while process.poll() is None:
        memory = 0
        try:
            for each in (process, *process.children(recursive=True)):
                memory += each.memory_info().rss
        except psutil.Error:  # one of them has just ended
            continue
        largest = max(largest, memory)
        time.sleep(SECONDS_BETWEEN_LOOKS)
    assert process.returncode == 0, command
    return largest / GIGABYTE


def seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
