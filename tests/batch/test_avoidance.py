"""Machines that are avoided: by what became of jobs, and as an executor remembers them."""

import itertools
import time
from pathlib import Path

import pytest

from rootflow.batch.avoidance import Avoidance, Verdict, judge
from rootflow.batch.contract import State
from rootflow.batch.progress import MachineRun, Progress
from rootflow.batch.schedd import Schedd
from rootflow.config.batch import LimitsConfig

NOW = 1_000_000.0
DAY = 86400.0


class Told(Schedd):
    """A schedd that notes what the jobs in its queue are told."""

    def __init__(self) -> None:
        super().__init__(None)
        self.values: list[str] = []

    def edit_all(self, folder: Path, name: str, value: str) -> None:
        del folder
        assert name == "RootflowAvoid"
        self.values.append(value)


def jobs(wells: int, failures_elsewhere: int = 0) -> dict[str, Progress]:
    """Return jobs that failed on `hole`, others elsewhere, and one that waits."""
    now = time.time()
    runs = [MachineRun("hole", now - 52, now - 50, well=False)] * 3
    runs += [MachineRun("good", now - 100, now - 50, well=True)] * wells
    runs += [MachineRun("bad", now - 52, now - 50, well=False)] * failures_elsewhere
    ended = {
        f"a.{n}": Progress(State.DONE if run.well else State.FAILED, runs=[run])
        for n, run in enumerate(runs)
    }
    return {**ended, "b.0": Progress()}


def avoidance(folder: Path, **limits: object) -> Avoidance:
    return Avoidance(folder, Told(), LimitsConfig.model_validate(limits))


def test_what_is_avoided_is_noted_told_and_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rootflow.batch.avoidance.SECONDS_BETWEEN_JUDGEMENTS", 0.0)
    schedd = Told()
    first = Avoidance(tmp_path, schedd, LimitsConfig())
    for _ in range(2):
        first.look_after(jobs(wells=8))
    assert list(first.machines()) == ["hole"]
    assert schedd.values == ['"hole"']
    later = avoidance(tmp_path)
    later.look_after({})  # a schedd that spools has forgotten the failures
    assert list(later.machines()) == ["hole"]
    assert capsys.readouterr().err.count("jobs avoid hole") == 1


def test_a_machine_is_used_again_once_others_fail_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    avoidance(tmp_path).look_after(jobs(wells=8))
    avoidance(tmp_path).look_after(jobs(wells=1, failures_elsewhere=2))
    assert avoidance(tmp_path).machines() == {}
    assert "rootflow: jobs may use hole again" in capsys.readouterr().err


def test_a_machine_is_used_again_after_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    avoidance(tmp_path).look_after(jobs(wells=8))
    tomorrow = time.time() + DAY + 1
    monkeypatch.setattr("rootflow.batch.avoidance.time.time", lambda: tomorrow)
    avoidance(tmp_path).look_after({})
    assert avoidance(tmp_path).machines() == {}


def test_nothing_is_avoided_where_that_is_not_wanted(tmp_path: Path) -> None:
    avoidance(tmp_path).look_after(jobs(wells=8))
    assert avoidance(tmp_path, failures_per_machine=None).machines() == {}
    avoidance(tmp_path / "other", failures_per_machine=None).look_after(jobs(wells=8))
    assert not (tmp_path / "other").exists()


def failed(machine: str, ago: float = 50.0, seconds: float = 2.0) -> MachineRun:
    return MachineRun(machine, NOW - ago - seconds, NOW - ago, well=False)


def well(machine: str, ago: float = 50.0, seconds: float = 100.0) -> MachineRun:
    return MachineRun(machine, NOW - ago - seconds, NOW - ago, well=True)


def running(machine: str, seconds: float) -> MachineRun:
    return MachineRun(machine, NOW - seconds)


def avoided(*jobs: MachineRun | list[MachineRun], failures: int = 3) -> dict[str, Verdict]:
    runs = [[job] if isinstance(job, MachineRun) else job for job in jobs]
    verdicts = judge(runs, failures, NOW)
    return {machine: verdict for machine, verdict in verdicts.items() if verdict.at_fault}


def test_a_machine_that_fails_all_its_jobs_is_found() -> None:
    jobs = [failed("hole")] * 3 + [well("good")] * 5 + [well("better")] * 3
    assert avoided(*jobs) == {"hole": Verdict(True, 3, 8, 0)}
    assert str(avoided(*jobs)["hole"]) == ("the last 3 jobs on it failed, as did 0 of 8 elsewhere")


def test_fewer_failures_than_asked_for_are_not_enough() -> None:
    jobs = [failed("hole")] * 3 + [well("good")] * 50
    assert avoided(*jobs, failures=4) == {}


def test_jobs_that_fail_everywhere_exclude_nothing() -> None:
    everywhere = [failed(machine) for machine in "abcdef" for _ in range(20)]
    assert avoided(*everywhere) == {}
    assert avoided(*everywhere, well("a", ago=60)) == {}


@pytest.mark.parametrize("share", [2, 3, 4])
def test_the_more_fail_elsewhere_the_more_must_fail_here(share: int) -> None:
    """Jobs fail by their own fault, one of `share`; here so many in a row that it is no chance."""
    others = [failed("good") if n % share == 0 else well("good") for n in range(share * 100)]
    few = next(k for k in itertools.count(1) if (101 / (share * 100 + 2)) ** k <= 1e-3)
    assert avoided(*others, *[failed("hole")] * (few - 1)) == {}
    assert set(avoided(*others, *[failed("hole")] * few)) == {"hole"}


def test_nothing_is_known_of_a_machine_alone() -> None:
    assert avoided(*[failed("only")] * 50) == {}
    assert avoided(*[failed("only")] * 50, running("other", 1)) == {}


def test_jobs_that_run_on_elsewhere_count_as_well_once_they_outlast_the_failures() -> None:
    failures = [failed("hole", seconds=10)] * 3
    assert avoided(*failures, *[running("good", 19)] * 8) == {}
    assert set(avoided(*failures, *[running("good", 31)] * 8)) == {"hole"}


def test_two_holes_do_not_excuse_each_other() -> None:
    jobs = [failed("hole")] * 3 + [failed("pit")] * 3 + [well("good")] * 8
    assert set(avoided(*jobs)) == {"hole", "pit"}


def test_a_job_that_fails_on_two_machines_is_its_own_fault() -> None:
    bad = [[failed("hole", 60), failed("good", 40)]] * 10
    assert avoided(*bad, *[well("good")] * 8) == {}


def test_one_job_tried_again_and_again_is_one_job() -> None:
    again = [failed("hole", ago) for ago in range(90, 10, -10)]
    assert avoided(again, *[well("good")] * 20) == {}


def test_jobs_that_failed_here_and_ended_well_elsewhere_count() -> None:
    retried = [[failed("hole", 60), well("good", 10)]] * 8
    assert set(avoided(*retried)) == {"hole"}


def test_a_good_end_here_clears_the_machine() -> None:
    good = [well("good")] * 20
    assert avoided(*[failed("here", 90)] * 9, well("here", 50), *good) == {}
    assert set(avoided(well("here", 90), *[failed("here", 50)] * 9, *good)) == {"here"}


def test_a_machine_on_which_a_later_job_lasts_is_not_one_that_fails_all() -> None:
    jobs = [*[failed("here", 90)] * 9, *[well("good")] * 20]
    assert avoided(*jobs, running("here", 60)) == {}
    assert set(avoided(*jobs, running("here", 500))) == {"here"}  # it was there before


def test_evictions_say_nothing() -> None:
    evicted = MachineRun("here", NOW - 60, NOW - 50)
    assert avoided(*[evicted] * 20, *[well("good")] * 20) == {}


def test_machines_are_tried_again_after_a_day() -> None:
    jobs = [failed("hole", DAY + 1)] * 3 + [well("good")] * 20
    assert avoided(*jobs) == {}
