"""A study whose jobs meet a machine that fails all it gets."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from optuna.trial import TrialState

from rootflow.batch.care import JobLedger
from rootflow.batch.schedd import Schedd
from rootflow.tuning.trials import Result, TrialFiles
from studies import QUICK, TOY, assert_each_counted_once, trials_of
from toy_study import run_study

FIRST_ON_THE_GOOD_ONE = 8
# As HTCondor's event log has them.
SUBMITTED = "000 {job} {now} Job submitted from host: <127.0.0.1:9618>\n    {token}\n...\n"
EXECUTES = "001 {job} {now} Job executing on host: <127.0.0.1:9618>\n\tSlotName: slot1@{on}\n...\n"
USAGE = "".join(
    f"\t\tUsr 0 00:00:00, Sys 0 00:00:00  -  {whose} Usage\n"
    for whose in ("Run Remote", "Run Local", "Total Remote", "Total Local")
)
TERMINATED = (
    f"005 {{job}} {{now}} Job terminated.\n"
    f"\t(1) Normal termination (return value {{code}})\n{USAGE}...\n"
)
HELD = "012 {job} {now} Job was held.\n\tinputs are not there\n\tCode 13 Subcode 0\n...\n"
RELEASED = "013 {job} {now} Job was released.\n\tby rootflow\n...\n"


class GoodAndHole(Schedd):
    """A schedd with two machines; each job runs at once, after the first ones on `hole`.

    Parameters
    ----------
    folder
        Of the executor.
    holds
        Whether jobs on `hole` are held; else they fail.
    """

    def __init__(self, folder: Path, *, holds: bool) -> None:
        super().__init__(None)
        self._folder = folder
        self._holds = holds
        self._avoid_hole = False
        self._submissions: list[str] = []
        self._runs = 0

    def submit(self, text: str, token: str, *, spool: bool) -> int:
        del spool
        self._avoid_hole |= 'RootflowAvoid = "hole"' in text
        self._submissions.append(token)
        cluster = len(self._submissions)
        for number, _ in enumerate(JobLedger(self._folder).jobs(token)):
            self._log(SUBMITTED, cluster, number, token=token)
            self._run(cluster, number)
        return cluster

    def edit_all(self, folder: Path, name: str, value: str) -> None:
        del folder
        assert (name, value) == ("RootflowAvoid", '"hole"')
        self._avoid_hole = True

    def edit(self, jobs: Sequence[str], changes: Mapping[str, str]) -> None:
        del jobs
        assert changes == {}

    def remove(self, jobs: Sequence[str] | int, reason: str) -> None:
        pass

    def release(self, jobs: Sequence[str], reason: str) -> None:
        del reason
        for job in jobs:
            cluster, number = map(int, job.split("."))
            self._log(RELEASED, cluster, number)
            self._run(cluster, number)

    def _run(self, cluster: int, number: int) -> None:
        hole = self._runs >= FIRST_ON_THE_GOOD_ONE and not self._avoid_hole
        self._runs += 1
        self._log(EXECUTES, cluster, number, on="hole" if hole else "good")
        if hole and self._holds:
            self._log(HELD, cluster, number)
            return
        if not hole:
            job = JobLedger(self._folder).jobs(self._submissions[cluster - 1])[number]
            TrialFiles(job.directory).write_result(Result(metrics={"loss": 1.0}))
        self._log(TERMINATED, cluster, number, code=3 if hole else 0)

    def _log(self, event: str, cluster: int, number: int, **words: object) -> None:
        job, now = f"({cluster:03}.{number:03}.000)", time.strftime("%Y-%m-%d %H:%M:%S")
        with (self._folder / "events.log").open("a") as log:
            log.write(event.format(job=job, now=now, **words))


@pytest.mark.parametrize("holds", [False, True], ids=["fails", "holds"])
def test_a_machine_is_judged_before_its_trials_are_told_as_failed(
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    *,
    holds: bool,
) -> None:
    jobs = place / "outputs" / "studies" / "toy" / "jobs"
    monkeypatch.setattr("rootflow.batch.htcondor.Schedd", lambda _: GoodAndHole(jobs, holds=holds))
    # All that fails does so between two judgements.
    monkeypatch.setattr("rootflow.batch.avoidance.SECONDS_BETWEEN_JUDGEMENTS", 3600.0)
    profile = place / "profile.json"
    profile.write_text(json.dumps({"executor": "htcondor", "files": "shared"}))
    run_study(TOY, [*QUICK, f"tune.profile={profile}", "tune.trials=12", "tune.retries=0"])
    assert "rootflow: jobs avoid hole" in capfd.readouterr().err
    assert_each_counted_once(place, 12)
    assert [trial.state for trial in trials_of(place)] == [TrialState.COMPLETE] * 12
