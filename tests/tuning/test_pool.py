"""A study on the real pool, with much that goes wrong."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from condor_pool import Pool
from pool_processes import process_named
from rootflow.batch.schedd import htcondor
from studies import (
    TOY,
    asked_and_answered,
    assert_each_counted_once,
    runs_of,
    starts_of,
    trials_of,
    wait_for,
)
from toy_study import TOY_STUDY, run_study

# With this seed the first trials come to these losses.
SEED_OF_IT, BEST_IS_FIRST = 44, (0.2045, 0.447, 0.341)
PROFILE = {
    "executor": "htcondor",
    "files": "shared",
    "grace": "2s",
    "job": {"memory_gib": 0.125, "disk_gib": 0.01},
}


@pytest.fixture
def settings(pool: Pool, place: Path) -> list[str]:  # noqa: ARG001 - it has to be up
    profile = place / "pool.json"
    profile.write_text(json.dumps(PROFILE))
    return [f"tune.profile={profile}", "tune.poll_seconds=0.2"]


def act(action: str, directory: Path) -> None:
    """Do something to the job of a trial, as by hand."""
    until = time.monotonic() + 180
    while not (found := jobs_in(directory)):
        assert time.monotonic() < until
        time.sleep(0.2)
    job = f"{found[0]['ClusterId']}.{found[0]['ProcId']}"
    htcondor().Schedd().act(getattr(htcondor().JobAction, action), [job], ("by hand", 0))


def jobs_in(directory: Path) -> list[Any]:
    """Return the jobs of a trial, none while the schedd is away."""
    try:
        schedd = htcondor().Schedd()
        return list(schedd.query(f'Iwd == "{directory}"', ["ClusterId", "ProcId"]))
    except htcondor().HTCondorException:
        return []


def test_the_run_of_a_trial_says_where_its_job_was(place: Path, settings: list[str]) -> None:
    run_study(TOY, [*settings, "tune.trials=2"])
    for number, run in runs_of(place).items():
        tags = run.data.tags
        assert tags["htcondor.folder"].endswith(f"/outputs/studies/toy/trials/{number:05d}")
        assert (Path(tags["htcondor.folder"]) / "stdout.txt").exists()
        assert (tags["htcondor.starts"], tags["htcondor.reason"]) == ("1", "")
        cluster, _, proc = tags["htcondor.job"].partition(".")
        gone = f"ClusterId == {cluster} && ProcId == {proc}"
        [ad] = htcondor().Schedd().history(gone, ["Iwd", "LastRemoteHost"], match=1)
        assert ad["Iwd"] == tags["htcondor.folder"]
        assert ad["LastRemoteHost"].endswith(f"@{tags['htcondor.host']}")


def test_nothing_is_lost_or_counted_twice(
    pool: Pool,
    place: Path,
    settings: list[str],
    undisturbed: list[tuple[dict[str, Any], Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Longer than it takes to get at a trial on a busy machine: one that has ended starts once.
    monkeypatch.setenv("TOY", json.dumps({"seconds": 4.0, "killed": 1}))
    command = [sys.executable, str(TOY_STUDY), str(TOY), *settings]
    trials = place / "outputs" / "studies" / "toy" / "trials"
    with subprocess.Popen(command) as driver:
        for number, action in enumerate(["Vacate", "", "Remove", "Hold"]):
            wait_for(trials / f"{number:05d}" / "progress.jsonl")
            if action:
                act(action, trials / f"{number:05d}")
            else:  # the trial kills itself
                process_named(pool, "condor_schedd").kill()
        driver.send_signal(signal.SIGKILL)
    act("Release", trials / "00003")
    run_study(TOY, settings)
    assert_each_counted_once(place, 8)
    assert asked_and_answered(trials_of(place)) == undisturbed
    assert [starts_of(place, number) for number in range(4, 8)] == [1] * 4
    assert [starts_of(place, number) for number in range(4)] == [2] * 4


@pytest.mark.usefixtures("pool")
@pytest.mark.parametrize("files", ["transfer", "spool"])
def test_trials_are_pruned_by_what_they_tell_while_they_run(
    place: Path, files: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those worse than the first go on for ever, unless they are pruned."""
    monkeypatch.setenv("TOY", json.dumps({"stops_above": BEST_IS_FIRST[0]}))
    profile = place / "pool.json"
    profile.write_text(json.dumps({**PROFILE, "files": files}))
    pruner = "{name: median, startup_trials: 1, warmup_epochs: 0}"
    settings = [f"tune.profile={profile}", f"tune.pruner={pruner}", f"seed={SEED_OF_IT}"]
    settings += [f"tune.trials={len(BEST_IS_FIRST)}", "tune.parallel=1", "tune.poll_seconds=0.2"]
    run_study(TOY, settings)
    trials = trials_of(place)
    assert [trial.state.name for trial in trials] == ["COMPLETE", "PRUNED", "PRUNED"]
    for trial, loss in zip(trials, BEST_IS_FIRST, strict=True):
        told = trial.intermediate_values
        assert 1 in told
        assert told == pytest.approx({epoch: loss + 1 / epoch for epoch in told}, abs=1e-3)
