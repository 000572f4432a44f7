"""Seconds until a training has made its first step, of a command and of a trial of a study.

A command is a new process: `rootflow train`. A trial is forked from its job's process, which has
imported everything by then. The reference is the command of another checkout (`--against`), else of
this one, in turn with both. The network is the configuration's own, the dataset is found again.
Seconds are those of the wall clock from the process' start, and of its CPU, as it ends with the
step.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import psutil

REPOSITORY = Path(__file__).resolve().parents[1]


class Seconds(NamedTuple):
    """How long it took until the first step was made."""

    wall: float
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=REPOSITORY / "configs" / "ttbar.yaml")
    parser.add_argument("--against", type=Path, default=REPOSITORY, help="another checkout")
    parser.add_argument(
        "--runs", type=int, default=5, help="of each, after one that is not counted"
    )
    parser.add_argument("--be", choices=["command", "trial"], help="be the process that is timed")
    arguments, settings = parser.parse_known_args()
    if arguments.be:
        be(arguments.be == "trial", ["train", "--config", str(arguments.config), *settings])
        return
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)

        def timed(checkout: Path, kind: str) -> Seconds:
            return time_one(checkout, kind, arguments.config.resolve(), place)

        turns = [
            (
                timed(arguments.against, "command"),
                timed(REPOSITORY, "command"),
                timed(REPOSITORY, "trial"),
            )
            for _ in range(arguments.runs + 1)
        ][1:]
    before, command, trial = (list(each) for each in zip(*turns, strict=True))
    print(
        json.dumps(
            {
                "name": "first_step",
                "value": median([each.wall for each in trial]),
                "unit": "s from the start of a trial to its first step",
                "reference": f"the same of `rootflow train` of {arguments.against.name}",
                "ratio": ratio(trial, before),
                "ratio_cpu": ratio(trial, before, of_cpu=True),
                "cpu_seconds": median([each.cpu for each in trial]),
                "command_seconds": median([each.wall for each in command]),
                "command_ratio": ratio(command, before),
                "command_ratio_cpu": ratio(command, before, of_cpu=True),
                "reference_seconds": median([each.wall for each in before]),
                "reference_cpu_seconds": median([each.cpu for each in before]),
            }
        )
    )


def median(values: list[float]) -> float:
    """Return the median, to a tenth."""
    return round(statistics.median(values), 1)


def ratio(ours: list[Seconds], theirs: list[Seconds], *, of_cpu: bool = False) -> float:
    """Return the median over turns of ours over theirs."""
    pairs = [(one[of_cpu], other[of_cpu]) for one, other in zip(ours, theirs, strict=True)]
    return round(statistics.median(one / other for one, other in pairs), 3)


def time_one(checkout: Path, kind: str, config: Path, place: Path) -> Seconds:
    """Start the process that is timed with the source of a checkout."""
    command = [sys.executable, __file__, "--be", kind, "--config", str(config)]
    command += [f"output={place / 'outputs'}", f"data.files=[{REPOSITORY / 'data/ttbar/*.root'}]"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(checkout.resolve() / "src"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{place / 'mlflow.db'}",
    }
    answer = subprocess.run(
        command, cwd=place, env=environment, stdout=subprocess.PIPE, check=True, text=True
    )
    return Seconds(*json.loads(answer.stdout.splitlines()[-1]))


def be(forked: bool, words: list[str]) -> None:
    """Run a command of rootflow until its first step is made, and say how long that took."""
    started, cpu = psutil.Process().create_time(), 0.0
    if forked:
        from rootflow.steps.trial_job import get_ready

        get_ready(Path(words[2]))
        started = time.time()
        if child := os.fork():
            os.waitpid(child, 0)
            return
        cpu = sum(os.times()[:2])
    from rootflow import cli
    from rootflow.training.trainer import Steps

    step = Steps.train

    def first(steps: Steps, batch: object) -> None:
        step(steps, batch)  # type: ignore[arg-type]
        print(json.dumps([time.time() - started, sum(os.times()[:2]) - cpu]), flush=True)
        os._exit(0)

    Steps.train = first  # type: ignore[method-assign, assignment]
    sys.argv = ["rootflow", *words]
    cli.main()


if __name__ == "__main__":
    main()
