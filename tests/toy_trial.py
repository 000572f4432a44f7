"""A trial's job that takes no time: `toy_trial.py DIRECTORY`, told by TOY what goes wrong."""

import json
import os
import signal
import sys
import time
from pathlib import Path

import yaml

from rootflow.files import alone_in
from rootflow.tuning.trials import CONFIG, Reporter, Result, TrialFiles


def measure(files: TrialFiles, toy: dict[str, float]) -> Result:
    trial = files.read_trial()
    number = trial.number
    settings = yaml.safe_load((files.directory / CONFIG).read_text())
    rate, depth = settings["training"]["learning_rate"], settings["model"]["depth"]
    started = files.directory / "starts"
    with started.open("a") as starts:
        starts.write(f"{os.getpid()}\n")
    first = len(started.read_text().splitlines()) == 1
    loss = (rate * 100 - 0.3) ** 2 + 0.1 * depth
    reporter = Reporter(files, trial)
    for epoch in range(1, 1 + int(toy.get("epochs", 2))):
        reporter.report(0, epoch, {"loss": loss + 1 / epoch})
        time.sleep(toy.get("seconds", 1.0 if number == toy.get("slow") else 0.0))
        if number == toy.get("hangs"):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(3600)
        if number == toy.get("stops_late"):
            time.sleep(3600)
        if epoch > 1 and loss > toy.get("stops_above", loss):
            time.sleep(300)
        if number == toy.get("killed") and first:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == toy.get("always_killed"):
            os.kill(os.getpid(), signal.SIGKILL)
    if number == toy.get("wrong") or toy.get("all_wrong"):
        return Result(error="the loss is nan in epoch 1")
    for name in ("nan", "inf"):
        if number == toy.get(name):
            loss = float(name)
    metrics = {"loss": loss, "parameters": 1000.0 / (1 + loss)}
    return Result(metrics=metrics, untold=reporter.untold)


def run(directory: Path) -> None:
    files = TrialFiles(directory)
    with alone_in(files.directory):
        if files.result() is None:
            files.write_result(measure(files, json.loads(os.environ.get("TOY", "{}"))))


if __name__ == "__main__":
    run(Path(sys.argv[1]))
