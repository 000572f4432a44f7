"""A job of toy trials, one after another: `toy_trials.py DIRECTORY`, as rootflow's own."""

import json
import os
import sys
from pathlib import Path

import toy_trial
from rootflow.steps import trial, trial_job


def run(directory: Path) -> None:
    (directory / "measured-by").write_text(str(os.getppid()))
    toy_trial.run(directory)


if __name__ == "__main__":
    trial.run = run
    trial_job.get_ready = lambda *_: None  # toys need no TensorFlow
    trial_job.SECONDS_TO_WAIT = 60.0  # the driver may have much else to do
    trial_job.run(Path(sys.argv[1]), float(json.loads(os.environ["TOY"])["others"]))
