"""Machines that are avoided, as an executor remembers them."""

import time
from pathlib import Path

import pytest

from rootflow.batch.avoidance import Avoidance
from rootflow.batch.contract import State
from rootflow.batch.events import Progress
from rootflow.batch.ledger import Key
from rootflow.batch.machines import MachineRun
from rootflow.batch.schedd import Schedd
from rootflow.config.batch import LimitsConfig

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


def jobs(wells: int, failures_elsewhere: int = 0) -> dict[Key, Progress]:
    """Return jobs that failed on `hole`, others elsewhere, and one that waits."""
    now = time.time()
    runs = [MachineRun("hole", now - 52, now - 50, well=False)] * 3
    runs += [MachineRun("good", now - 100, now - 50, well=True)] * wells
    runs += [MachineRun("bad", now - 52, now - 50, well=False)] * failures_elsewhere
    ended = {
        ("a", n): Progress(State.DONE if run.well else State.FAILED, runs=[run])
        for n, run in enumerate(runs)
    }
    return {**ended, ("b", 0): Progress()}


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
