"""What happens to jobs by hand and by accident in a real pool."""

import os
import re
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from batch_jobs import MakeJob, profile
from rootflow.batch import Executor, State, Status, make_executor
from rootflow.batch.bindings import htcondor
from rootflow.batch.pool import Pool
from rootflow.errors import UsageError

LONG = 60.0


@pytest.fixture(params=["shared", "transfer"])
def kind(request: pytest.FixtureRequest) -> str:
    request.getfixturevalue("pool")
    return str(request.param)


def until(executor: Executor, job_id: str, what: Callable[[Status], bool]) -> Status:
    deadline = time.monotonic() + LONG
    while not what(status := executor.status([job_id])[job_id]):
        assert time.monotonic() < deadline, status
        time.sleep(0.1)
    return status


def is_running(status: Status) -> bool:
    return status.state is State.RUNNING


def act(action: str, executor: Executor, job_id: str) -> None:
    """Do by hand what condor_hold, condor_rm and condor_vacate do."""
    module = htcondor()
    what = getattr(module.JobAction, action)
    module.Schedd().act(what, executor.name_of(job_id), ("by hand", 0))


def process_named(pool: Pool, name: str) -> psutil.Process:
    """Return the youngest of the pool's processes of a name; others may end meanwhile."""
    assert pool.pid is not None
    found = {}
    for process in psutil.Process(pool.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if process.name() == name:
                found[process.create_time()] = process
    return found[max(found)]


def test_a_vacated_job_goes_on_from_its_checkpoint(
    kind: str, function: MakeJob, tmp_path: Path
) -> None:
    executor = make_executor(profile(kind), tmp_path / "batch")
    [job_id] = executor.submit([function("train", epochs=12, seconds=0.4, outputs=("state.json",))])
    until(executor, job_id, is_running)
    time.sleep(2)
    act("Vacate", executor, job_id)
    status = executor.wait([job_id], LONG)[job_id]
    assert (status.state, status.starts) == (State.DONE, 2)
    assert executor.result(job_id) == list(range(12))
    assert status.wall_seconds is not None
    assert status.wall_seconds < 12 * 0.4  # it did not begin anew


def test_the_newer_of_two_checkpoints_counts(kind: str, function: MakeJob, tmp_path: Path) -> None:
    """A job goes on later, is vacated, and goes on later again."""
    executor = make_executor(profile(kind, job={"runtime": "6s"}), tmp_path / "batch")
    [job_id] = executor.submit([function("train", epochs=30, seconds=0.4, outputs=("state.json",))])
    until(executor, job_id, lambda status: is_running(status) and status.starts == 2)
    time.sleep(1)
    act("Vacate", executor, job_id)
    status = executor.wait([job_id], LONG)[job_id]
    assert executor.result(job_id) == list(range(30))
    assert status.starts <= 6


def test_a_job_held_by_hand_waits_until_it_is_released(
    kind: str, function: MakeJob, tmp_path: Path
) -> None:
    executor = make_executor(profile(kind), tmp_path / "batch")
    [job_id] = executor.submit([function("add", first=1, second=1)])
    act("Hold", executor, job_id)
    status = executor.wait([job_id], 3)[job_id]
    assert status.state is State.HELD
    assert status.reason.startswith("by hand")
    assert not status.given_up
    with pytest.raises(UsageError, match=r"memory: cannot be changed.*memory_gib"):
        executor.release([job_id], {"memory": 1})
    executor.release([job_id], {"memory_gib": 0.25})
    assert executor.wait([job_id], LONG)[job_id].state is State.DONE


def test_a_job_removed_by_hand_is_removed(kind: str, shell: MakeJob, tmp_path: Path) -> None:
    executor = make_executor(profile(kind), tmp_path / "batch")
    [job_id] = executor.submit([shell("sleep 100")])
    act("Remove", executor, job_id)
    status = executor.wait([job_id], LONG)[job_id]
    assert status.state is State.REMOVED
    assert status.reason.startswith("by hand")


def test_a_killed_starter_costs_one_start(
    kind: str, shell: MakeJob, tmp_path: Path, pool: Pool
) -> None:
    executor = make_executor(profile(kind), tmp_path / "batch")
    [job_id] = executor.submit([shell("sleep 3; echo 1 > $ROOTFLOW_RESULT")])
    until(executor, job_id, is_running)
    process_named(pool, "condor_starter").kill()
    status = executor.wait([job_id], LONG)[job_id]
    assert (status.state, status.starts) == (State.DONE, 2)
    assert executor.result(job_id) == 1


@pytest.mark.usefixtures("pool")
def test_a_killed_job_has_failed(function: MakeJob, tmp_path: Path) -> None:
    executor = make_executor(profile("shared"), tmp_path / "batch")
    [job_id] = executor.submit([function("train", epochs=100, seconds=0.5)])
    until(executor, job_id, is_running)
    pid = tmp_path / "job" / "pid.txt"
    while not pid.exists():
        time.sleep(0.1)
    os.kill(int(pid.read_text()), signal.SIGKILL)
    status = executor.wait([job_id], LONG)[job_id]
    assert (status.state, status.exit_code, status.starts) == (State.FAILED, 137, 1)


def test_a_killed_schedd_loses_nothing(
    kind: str, shell: MakeJob, tmp_path: Path, pool: Pool
) -> None:
    executor = make_executor(profile(kind), tmp_path / "batch")
    jobs = [shell(f"sleep 4; echo {n} > $ROOTFLOW_RESULT", f"job{n}") for n in range(8)]
    ids = executor.submit(jobs)
    until(executor, ids[0], is_running)
    process_named(pool, "condor_schedd").kill()
    more = executor.submit([shell("echo 8 > $ROOTFLOW_RESULT", "job8")])  # waits for the new one
    statuses = executor.wait([*ids, *more], LONG)
    assert {status.state for status in statuses.values()} == {State.DONE}
    assert [executor.result(job_id) for job_id in [*ids, *more]] == list(range(9))
    assert {status.starts for status in statuses.values()} == {1}


def test_too_little_memory_is_met_with_more_and_remembered(
    kind: str, function: MakeJob, tmp_path: Path
) -> None:
    executor = make_executor(profile(kind), tmp_path / "batch")
    [job_id] = executor.submit([function("take_memory", mib=200, seconds=6)])
    status = executor.wait([job_id], LONG)[job_id]
    assert (status.state, status.starts) == (State.DONE, 2)
    assert executor.result(job_id) == 200 * 2**20
    later = make_executor(profile(kind), tmp_path / "batch")
    described = later.describe([function("add", "later", first=1, second=1)])
    [asked] = re.findall(r"request_memory = (\d+)", described)
    assert int(asked) >= 256


def test_there_is_an_end_to_more_memory(kind: str, function: MakeJob, tmp_path: Path) -> None:
    executor = make_executor(profile(kind, limits={"memory_gib": 0.125}), tmp_path / "batch")
    [job_id] = executor.submit([function("take_memory", mib=200, seconds=20)])
    status = executor.wait([job_id], LONG)[job_id]
    assert (status.state, status.given_up) == (State.HELD, True)
    assert "0.125 GiB were not enough, and limits.memory_gib allows no more" in status.reason
    executor.cancel([job_id], "enough")
    assert executor.wait([job_id], LONG)[job_id].state is State.REMOVED


@pytest.mark.usefixtures("pool")
def test_trouble_that_does_not_pass_is_explained(shell: MakeJob, tmp_path: Path) -> None:
    executor = make_executor(profile("transfer"), tmp_path / "batch")
    (tmp_path / "map.txt").touch()
    job = shell("true", inputs=(tmp_path / "map.txt",))
    [job_id] = executor.submit([job])
    (tmp_path / "map.txt").unlink()
    status = executor.wait([job_id], LONG)[job_id]
    assert (status.state, status.given_up) == (State.HELD, True)
    assert "are they still there, and readable?" in status.reason
    (tmp_path / "map.txt").touch()
    executor.release([job_id])
    assert executor.wait([job_id], LONG)[job_id].state is State.DONE


def test_a_job_evicted_too_often_is_given_up(kind: str, shell: MakeJob, tmp_path: Path) -> None:
    executor = make_executor(profile(kind, limits={"starts": 1}), tmp_path / "batch")
    [job_id] = executor.submit([shell("sleep 100")])
    until(executor, job_id, is_running)
    act("Vacate", executor, job_id)
    status = executor.wait([job_id], LONG)[job_id]
    assert status.state is State.FAILED
    assert status.reason == "given up after 1 starts (limits.starts)"


@pytest.mark.usefixtures("pool")
def test_a_submission_cut_off_in_the_middle_is_told_from_one_that_happened(
    shell: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rootflow.batch.ledger import Ledger

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    executor = make_executor(profile("shared"), tmp_path / "batch")
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "confirm", die)
        with pytest.raises(KeyboardInterrupt):
            executor.submit([shell("true", "arrived")])
    with monkeypatch.context() as patch:
        patch.setattr("rootflow.batch.schedd.Schedd.submit", die)
        with pytest.raises(KeyboardInterrupt):
            executor.submit([shell("true", "lost")])
    later = make_executor(profile("shared"), tmp_path / "batch")
    [(job_id, job)] = later.known().items()
    assert job.name == "arrived"
    assert later.wait([job_id], LONG)[job_id].state is State.DONE


@pytest.mark.usefixtures("pool")
def test_a_queue_that_was_lost_is_noticed(
    shell: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rootflow.batch.htcondor.SECONDS_BETWEEN_ROLL_CALLS", 1.0)
    executor = make_executor(profile("shared"), tmp_path / "batch")
    [job_id] = executor.submit([shell("sleep 100")])
    until(executor, job_id, is_running)
    log = tmp_path / "batch" / "events.log"
    log.rename(tmp_path / "elsewhere.log")  # what happens from now on is not seen
    act("Remove", executor, job_id)
    status = executor.wait([job_id], LONG)[job_id]
    assert status.state is State.REMOVED
    assert "no longer in the queue" in status.reason
