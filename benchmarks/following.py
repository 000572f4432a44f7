"""Memory and delay of what follows the jobs of runs, and the time of one more submission.

Runs whose jobs no machine can run are submitted to a personal HTCondor pool, all at once; then the
memory of what follows them is read, while nothing happens. Some of the jobs are held, one at a
time: the delay is from the hold until the run in MLflow (SQLite) says so. Half of these begin when
nothing was told for a minute. At last as many as there are are held at once. Where `--before`
names a commit, the same is measured with it for a few runs, as each had a follower of its own.

A submission is `mlflow run`, a process of its own; `import mlflow.cli` alone is beside it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from mlflow.tracking import MlflowClient

from condor_pool import down, up
from rootflow.batch.schedd import htcondor
from rootflow.tracking.connection import connect

ROOT = Path(__file__).resolve().parents[1]
PROJECT = """\
name: toy
entry_points:
  main:
    parameters: {overrides: {type: string, default: ""}}
    command: "echo {overrides}"
"""
PROFILE = {"job": {"requirements": 'Machine == "nowhere"'}, "limits": {"idle": 100_000}}
FOLLOWERS = ("rootflow.following", "rootflow.tracking.telling", "rootflow.tracking.watching")
HELD = 6  # one at a time
FEW = 10  # runs of an older commit
SECONDS_OF_QUIET = 60.0
SECONDS_TO_WAIT = 1800.0
MIB = 2**20


class Use(NamedTuple):
    """What following took: in MiB while nothing happens, in seconds until the run says so."""

    runs: int
    processes: int
    mib: float
    delays: list[float]
    seconds_for_all: float
    seconds_of_a_submission: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--before", metavar="COMMIT", help="measure this one, too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        pool = up(place / "pool", 2)
        try:
            importing = seconds_of([sys.executable, "-c", IMPORT])
            now = measure(place / "now", arguments.runs, ROOT, at_once=True)
            before = None
            if arguments.before:
                with worktree(arguments.before, place / "worktree") as tree:
                    before = measure(place / "before", FEW, tree, at_once=False)
        finally:
            down(pool.directory)
    told = {
        "name": "following",
        "value": round(now.mib, 1),
        "unit": f"MiB for {now.runs} jobs, {now.processes} processes",
        "reference": f"{arguments.before}: for {FEW} jobs, times {now.runs // FEW}",
        "ratio": round(now.mib / (before.mib * now.runs / FEW), 4) if before else None,
        "delay": [round(delay, 1) for delay in now.delays],
        "delay_before": [round(delay, 1) for delay in before.delays] if before else None,
        "seconds_until_all_were_told": round(now.seconds_for_all, 1),
        "seconds_of_a_submission": round(now.seconds_of_a_submission, 2),
        "seconds_of_a_submission_before": before and round(before.seconds_of_a_submission, 2),
        "seconds_of_importing_mlflow": round(importing, 2),
    }
    print(json.dumps(told))


IMPORT = "import mlflow.cli, mlflow.projects"


def measure(place: Path, runs: int, tree: Path, *, at_once: bool) -> Use:
    """Measure with the source in `tree`, in a working directory of its own."""
    place.mkdir()
    (place / "MLproject").write_text(PROJECT)
    (place / "profile.json").write_text(json.dumps(PROFILE))
    (place / "each.txt").write_text("".join(f"seed={number}\n" for number in range(runs)))
    os.chdir(place)
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{place / 'mlflow.db'}"
    client = connect()
    environment = {**os.environ, "PYTHONPATH": str(tree / "src")}
    mlflow = [str(Path(sys.executable).with_name("mlflow")), "run", "."]
    one = [*mlflow, "--backend", "htcondor", "--backend-config", "profile.json"]
    if at_once:
        words = ["submit", "main", "--profile", "profile.json", "--each", "each.txt"]
        subprocess.run([sys.executable, "-m", "rootflow", *words], env=environment, check=True)
    times = [seconds_of(one, environment) for _ in range(5 if at_once else runs)]
    until(lambda: len(said(client, "idle")) == runs + (5 if at_once else 0))
    time.sleep(SECONDS_OF_QUIET)
    until(lambda: len(list(processes())) <= (1 if at_once else runs))  # who told is gone
    followers = list(processes())
    mib = sum(process.memory_info().rss for process in followers) / MIB
    jobs = {run.data.tags["htcondor.job"]: run.info.run_id for run in said(client, "idle")}
    delays = [delay for number in range(HELD) for delay in held_one(client, jobs, quiet=number % 2)]
    began = time.monotonic()
    act("Hold", list(jobs))
    until(lambda: len(said(client, "held")) == len(jobs) + HELD)
    seconds_for_all = time.monotonic() - began
    act("Remove", [run.data.tags["htcondor.job"] for run in said(client, "held")])
    until(lambda: not any(processes()) or not said(client, "held"))
    for process in processes():
        process.kill()
    return Use(runs, len(followers), mib, delays, seconds_for_all, statistics.median(times))


def held_one(client: MlflowClient, jobs: dict[str, str], quiet: int) -> Iterator[float]:
    """Yield how long it takes until the run says that its job is held."""
    time.sleep(SECONDS_OF_QUIET if quiet else 2.0)
    job, run_id = jobs.popitem()
    began = time.monotonic()
    act("Hold", [job])
    until(lambda: client.get_run(run_id).data.tags["htcondor.state"] == "held", 0.05)
    yield time.monotonic() - began


def act(action: str, jobs: Sequence[str]) -> None:
    htcondor().Schedd().act(getattr(htcondor().JobAction, action), list(jobs), ("measured", 0))


def said(client: MlflowClient, state: str) -> list[Any]:
    """Return the runs that say so of their jobs."""
    return list(client.search_runs(["0"], f"tags.`htcondor.state` = '{state}'", max_results=5000))


def processes() -> Iterator[psutil.Process]:
    """Yield what follows jobs of this user."""
    for process in psutil.process_iter(["cmdline"]):
        if str(Path.cwd()) in " ".join(process.info["cmdline"] or ()) and any(
            name in process.info["cmdline"] for name in FOLLOWERS
        ):
            yield process
            yield from process.children()


def until(what: Any, pause: float = 1.0) -> None:
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while not what():
        assert time.monotonic() < deadline
        time.sleep(pause)


def seconds_of(command: Sequence[str], environment: dict[str, str] | None = None) -> float:
    began = time.monotonic()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.monotonic() - began


@contextmanager
def worktree(revision: str, place: Path) -> Iterator[Path]:
    """Yield the repository as it was."""
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--detach", str(place), revision], check=True, capture_output=True)
    try:
        yield place
    finally:
        subprocess.run([*git, "remove", "--force", str(place)], check=True)


if __name__ == "__main__":
    main()
