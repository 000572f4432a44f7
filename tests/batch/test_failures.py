"""What happens to jobs by hand and by accident in a real pool."""

import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batch_jobs import MakeJob, profile
from condor_pool import Pool
from pool_processes import process_named
from rootflow.batch import Executor, State, Status, make_executor
from rootflow.batch.schedd import htcondor
from rootflow.errors import RootflowError, UsageError

LONG = 180.0


pytestmark = pytest.mark.usefixtures("pool")
BOTH = ("shared", "transfer")
MakeExecutor = Callable[..., Executor]


@pytest.fixture
def make(tmp_path: Path) -> MakeExecutor:
    """Return how to make an executor; made again, it is as after a restart."""

    def make(kind: str = "shared", **words: Any) -> Executor:
        return make_executor(profile(kind, **words), tmp_path / f"batch-{kind}")

    return make


def until(executor: Executor, job_id: str, what: Callable[[Status], bool]) -> Status:
    deadline = time.monotonic() + LONG
    while not what(status := executor.status([job_id])[job_id]):
        assert time.monotonic() < deadline, status
        time.sleep(0.1)
    return status


def is_running(status: Status) -> bool:
    return status.state is State.RUNNING


def is_held(status: Status) -> bool:
    return status.state is State.HELD


def until_exists(path: Path) -> None:
    deadline = time.monotonic() + LONG
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def until_trains(pool: Pool, directory: Path) -> None:
    """Wait until the training of a job can be warned, in the job's folder or on its node."""
    deadline = time.monotonic() + LONG
    while not (directory / "pid.txt").exists():
        if any((pool.directory / "execute").glob("**/pid.txt")):
            return
        assert time.monotonic() < deadline
        time.sleep(0.1)


def act(action: str, executor: Executor, job_id: str) -> None:
    """Do by hand what condor_hold, condor_rm and condor_vacate do."""
    module = htcondor()
    what = getattr(module.JobAction, action)
    module.Schedd().act(what, executor.name_of(job_id), ("by hand", 0))


@pytest.mark.parametrize("action", ["Vacate", "Hold"])
def test_a_job_that_must_go_writes_its_checkpoint_and_goes_on_from_it(
    action: str, make: MakeExecutor, function: MakeJob, pool: Pool, tmp_path: Path
) -> None:
    """It is warned by SIGTERM; its checkpoint takes long, but less than the grace."""
    running = {}
    for kind in BOTH:
        executor = make(kind, grace="10s")
        words = {"epochs": 6, "seconds": 0.8, "checkpoint": 4.0, "outputs": ("state.json",)}
        [running[executor]] = executor.submit([function("train", kind, **words)])
        until(executor, running[executor], is_running)
        until_trains(pool, tmp_path / kind)
        time.sleep(1.0)  # an epoch, and a part of the next
        act(action, executor, running[executor])
    for executor, job_id in running.items():
        if action == "Hold":
            assert not until(executor, job_id, is_held).given_up
            executor.release([job_id])
        status = executor.wait([job_id], LONG)[job_id]
        assert (status.state, status.starts) == (State.DONE, 2)
        epochs = executor.result(job_id)
        assert len(epochs) == 6
        assert epochs[0] == 0 < epochs[-1]  # it did not begin anew


def test_a_job_that_does_not_go_in_time_is_killed_and_starts_again(
    make: MakeExecutor, shell: MakeJob
) -> None:
    executor = make(grace="2s")
    line = "trap '' TERM; test -e twice && exit 0; echo x > twice; while :; do sleep 0.2; done"
    [job_id] = executor.submit([shell(line)])
    until(executor, job_id, is_running)
    until_exists(shell("").directory / "twice")
    act("Vacate", executor, job_id)
    status = executor.wait([job_id], LONG)[job_id]
    assert (status.state, status.starts) == (State.DONE, 2)


def test_the_newer_of_two_checkpoints_counts(make: MakeExecutor, function: MakeJob) -> None:
    """A job goes on later, is vacated, and goes on again."""
    executor = make("transfer", job={"runtime": "4s"})
    [job_id] = executor.submit([function("train", epochs=12, seconds=0.3, outputs=("state.json",))])
    until(executor, job_id, lambda status: is_running(status) and status.starts == 2)
    time.sleep(1)
    act("Vacate", executor, job_id)
    status = executor.wait([job_id], LONG)[job_id]
    epochs = executor.result(job_id)
    assert len(epochs) == 12
    assert epochs == sorted(epochs)
    assert epochs[-1] > 0
    assert status.starts >= 3


def test_a_job_held_by_hand_waits_until_it_is_released(
    make: MakeExecutor, function: MakeJob
) -> None:
    executor = make()
    [job_id] = executor.submit([function("add", first=1, second=1)])
    act("Hold", executor, job_id)
    status = executor.wait([job_id], 2)[job_id]
    assert status.state is State.HELD
    assert status.reason.startswith("by hand")
    assert not status.given_up
    with pytest.raises(UsageError, match=r"memory: cannot be changed.*memory_gib"):
        executor.release([job_id], {"memory": 1})
    executor.release([job_id], {"memory_gib": 0.25})
    assert executor.wait([job_id], LONG)[job_id].state is State.DONE


def test_a_job_removed_by_hand_is_removed(make: MakeExecutor, shell: MakeJob) -> None:
    executor = make()
    ids = executor.submit([shell("sleep 100", "running"), shell("sleep 100", "idle")])
    until(executor, ids[0], is_running)
    for job_id in ids:
        act("Remove", executor, job_id)
    for status in executor.wait(ids, LONG).values():
        assert status.state is State.REMOVED
        assert status.reason.startswith("by hand")


def test_a_killed_starter_costs_one_start(make: MakeExecutor, shell: MakeJob, pool: Pool) -> None:
    running = {}
    for kind in BOTH:
        executor = make(kind)
        [job_id] = executor.submit([shell("sleep 3; echo 1 > $ROOTFLOW_RESULT", kind)])
        until(executor, job_id, is_running)
        running[executor] = job_id
        process_named(pool, "condor_starter").kill()
    for executor, job_id in running.items():
        status = executor.wait([job_id], LONG)[job_id]
        assert (status.state, status.starts) == (State.DONE, 2)
        assert executor.result(job_id) == 1


def test_a_killed_job_has_failed(make: MakeExecutor, function: MakeJob, tmp_path: Path) -> None:
    executor = make()
    [job_id] = executor.submit([function("train", epochs=100, seconds=0.5)])
    pid = tmp_path / "job" / "pid.txt"
    until_exists(pid)
    os.kill(int(pid.read_text()), signal.SIGKILL)
    status = executor.wait([job_id], LONG)[job_id]
    assert (status.state, status.exit_code, status.starts) == (State.FAILED, 137, 1)


def test_a_killed_schedd_loses_nothing(
    make: MakeExecutor, shell: MakeJob, pool: Pool, tmp_path: Path
) -> None:
    running: dict[Executor, list[str]] = {}
    may_end = tmp_path / "may_end"
    line = f"until test -e {may_end}; do sleep 0.2; done; echo {{}} > $ROOTFLOW_RESULT"
    for kind in BOTH:
        jobs = [shell(line.format(n), f"{kind}{n}") for n in range(6)]
        executor = make(kind)
        running[executor] = executor.submit(jobs)
    for executor, ids in running.items():
        for job_id in ids:  # one that is about to start may have to start again
            until(executor, job_id, is_running)
    process_named(pool, "condor_schedd").kill()
    for number, (executor, ids) in enumerate(running.items()):
        # It waits for the new schedd.
        ids += executor.submit([shell("echo 6 > $ROOTFLOW_RESULT", f"late{number}")])
    may_end.touch()
    for executor, ids in running.items():
        statuses = executor.wait(ids, LONG)
        assert {status.state for status in statuses.values()} == {State.DONE}
        assert [executor.result(job_id) for job_id in ids] == list(range(7))
        assert {status.starts for status in statuses.values()} == {1}


def test_too_little_memory_is_met_with_more_and_remembered(
    make: MakeExecutor, function: MakeJob
) -> None:
    running = {}
    for kind in BOTH:
        executor = make(kind)
        [running[kind]] = executor.submit([function("take_memory", kind, mib=200, seconds=10)])
    for kind, job_id in running.items():
        executor = make(kind)  # as after a restart
        status = executor.wait([job_id], LONG)[job_id]
        assert (status.state, status.starts) == (State.DONE, 2)
        assert executor.result(job_id) == 200 * 2**20
        described = make(kind).describe([function("add", "later", first=1, second=1)])
        [asked] = re.findall(r"request_memory = (\d+)", described)
        assert int(asked) >= 256


def test_there_is_an_end_to_more_memory(make: MakeExecutor, function: MakeJob) -> None:
    executor = make(limits={"memory_gib": 0.125})
    [job_id] = executor.submit([function("take_memory", mib=200, seconds=20)])
    status = executor.wait([job_id], LONG)[job_id]
    assert (status.state, status.given_up) == (State.HELD, True)
    assert "0.125 GiB were not enough, and limits.memory_gib allows no more" in status.reason
    executor.cancel([job_id], "enough")
    assert executor.wait([job_id], LONG)[job_id].state is State.REMOVED


def test_trouble_that_does_not_pass_is_explained(
    make: MakeExecutor, shell: MakeJob, tmp_path: Path
) -> None:
    executor = make("transfer")
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


def test_a_job_evicted_too_often_is_given_up(make: MakeExecutor, shell: MakeJob) -> None:
    executor = make(limits={"starts": 1})
    [job_id] = executor.submit([shell("sleep 100")])
    until(executor, job_id, is_running)
    act("Vacate", executor, job_id)
    status = executor.wait([job_id], LONG)[job_id]
    assert status.state is State.FAILED
    assert status.reason == "given up after 1 starts (limits.starts)"


def test_a_submission_cut_off_in_the_middle_is_told_from_one_that_happened(
    make: MakeExecutor, shell: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rootflow.batch.care import JobLedger

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    executor = make()
    with monkeypatch.context() as patch:
        patch.setattr(JobLedger, "confirm", die)
        with pytest.raises(KeyboardInterrupt):
            executor.submit([shell("true", "arrived")])
    with monkeypatch.context() as patch:
        patch.setattr("rootflow.batch.schedd.Schedd.submit", die)
        with pytest.raises(KeyboardInterrupt):
            executor.submit([shell("true", "lost")])
    later = make()
    [(job_id, job)] = later.known().items()
    assert job.name == "arrived"
    assert later.wait([job_id], LONG)[job_id].state is State.DONE


@pytest.mark.parametrize(("kind", "call"), [("shared", "submit"), ("spool", "spool")])
def test_a_schedd_that_takes_jobs_and_does_not_say_so_is_not_given_them_twice(
    make: MakeExecutor,
    shell: MakeJob,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    call: str,
) -> None:
    """As one does that is too busy to answer in time."""
    schedd = htcondor().Schedd
    finished = getattr(schedd, call)

    def cut_off(*arguments: object, **words: object) -> None:
        monkeypatch.setattr(schedd, call, finished)
        if call == "submit":
            finished(*arguments, **words)
        raise htcondor().HTCondorException("timed out")

    monkeypatch.setattr(schedd, call, cut_off)
    executor = make(kind)
    job = shell("echo 1 > $ROOTFLOW_RESULT", kind)
    if call == "submit":
        [job_id] = executor.submit([job])
    else:  # it has the jobs, but not their files: they are to be handed over again
        with pytest.raises(RootflowError, match="timed out"):
            executor.submit([job])
        assert executor.known() == {}
        [job_id] = executor.submit([job])
    assert executor.wait([job_id], LONG)[job_id].state is State.DONE
    assert executor.result(job_id) == 1
    of_this_folder = f'RootflowFolder == "{tmp_path / f"batch-{kind}"}"'
    assert schedd().query(of_this_folder, ["ClusterId"]) == []
    starts = schedd().history(of_this_folder, ["NumJobStarts"])
    assert sum(int(ad.get("NumJobStarts", 0)) for ad in starts) == 1


def test_a_queue_that_was_lost_is_noticed(
    make: MakeExecutor, shell: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rootflow.batch.htcondor.SECONDS_BETWEEN_ROLL_CALLS", 1.0)
    executor = make()
    [job_id] = executor.submit([shell("sleep 100")])
    until(executor, job_id, is_running)
    log = tmp_path / "batch-shared" / "events.log"
    log.rename(tmp_path / "elsewhere.log")  # what happens from now on is not seen
    act("Remove", executor, job_id)
    status = executor.wait([job_id], LONG)[job_id]
    assert status.state is State.REMOVED
    assert "no longer in the queue" in status.reason
