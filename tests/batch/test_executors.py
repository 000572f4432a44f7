"""The executors' contract, kept by each of them."""

import time
from pathlib import Path

import pytest

from batch_jobs import MakeJob, profile
from rootflow.batch import Executor, Job, JobError, State, make_executor
from rootflow.errors import InputError, UsageError

LONG = 60.0


def run(executor: Executor, job: Job) -> str:
    [job_id] = executor.submit([job])
    executor.wait([job_id], LONG)
    return job_id


def until_running(executor: Executor, job_id: str) -> None:
    deadline = time.monotonic() + LONG
    while executor.status([job_id])[job_id].state is not State.RUNNING:
        assert time.monotonic() < deadline
        executor.wait([job_id], 0.1)


def test_a_command_leaves_result_logs_and_outcome(executor: Executor, shell: MakeJob) -> None:
    job_id = run(executor, shell('echo spoken; echo shouted >&2; echo [1,2] > "$ROOTFLOW_RESULT"'))
    status = executor.status([job_id])[job_id]
    assert (status.state, status.exit_code, status.starts) == (State.DONE, 0, 1)
    assert status.host
    assert status.wall_seconds is not None
    assert status.memory_mib is not None
    assert executor.result(job_id) == [1, 2]
    logs = executor.logs(job_id)
    assert (logs.stdout, logs.stderr) == ("spoken\n", "shouted\n")
    assert logs.events


def test_a_function_gives_its_result(executor: Executor, function: MakeJob) -> None:
    assert executor.result(run(executor, function("add", first=2, second=3))) == {"sum": 5}


def test_a_failure_comes_home_with_its_traceback(executor: Executor, function: MakeJob) -> None:
    job_id = run(executor, function("stumble"))
    status = executor.status([job_id])[job_id]
    assert (status.state, status.exit_code) == (State.FAILED, 1)
    assert status.reason == "exit code 1: ValueError: no jets left"
    with pytest.raises(JobError, match=r"(?s)Traceback.*in stumble\n.*ValueError: no jets left"):
        executor.result(job_id)


@pytest.mark.parametrize(
    ("line", "code", "reason"),
    [
        ("echo bad luck >&2; exit 7", 7, "exit code 7: bad luck"),
        ("kill -11 $$", 139, "exit code 139"),
    ],
)
def test_a_command_that_fails_says_why(
    executor: Executor, shell: MakeJob, line: str, code: int, reason: str
) -> None:
    job_id = run(executor, shell(line))
    status = executor.status([job_id])[job_id]
    assert (status.state, status.exit_code, status.reason) == (State.FAILED, code, reason)


def test_a_program_that_is_not_there_is_named(executor: Executor, tmp_path: Path) -> None:
    job_id = run(executor, Job("job", ("nowhere",), tmp_path / "job"))
    status = executor.status([job_id])[job_id]
    assert status.reason == "exit code 127: nowhere: No such file or directory"


def test_files_go_in_and_come_out(executor: Executor, shell: MakeJob, tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "a.txt").write_text("jets")
    (tmp_path / "map.txt").write_text("GeV")
    line = "mkdir -p out/deep && cat events/a.txt map.txt > out/deep/both.txt && touch empty.txt"
    inputs = (tmp_path / "events", tmp_path / "map.txt")
    job = shell(line, inputs=inputs, outputs=("out", "empty.txt"))
    assert executor.status([job_id := run(executor, job)])[job_id].state is State.DONE
    assert (job.directory / "out" / "deep" / "both.txt").read_text() == "jetsGeV"
    assert (job.directory / "empty.txt").exists()


def test_an_output_that_is_not_made_is_a_failure(executor: Executor, shell: MakeJob) -> None:
    job_id = run(executor, shell("true", outputs=("model.keras",)))
    status = executor.status([job_id])[job_id]
    assert status.reason == "exit code 1: outputs are missing: model.keras"


def test_an_input_that_is_not_there_is_said_before_anything_runs(
    executor: Executor, shell: MakeJob, tmp_path: Path
) -> None:
    jobs = [shell("true", "first"), shell("true", "second", inputs=(tmp_path / "gone",))]
    with pytest.raises(InputError, match=r"job second: input .*gone is not there"):
        executor.submit(jobs)
    assert executor.known() == {}


def test_an_output_elsewhere_is_refused(executor: Executor, shell: MakeJob) -> None:
    with pytest.raises(UsageError, match="name it relative to the job's folder"):
        executor.submit([shell("true", outputs=("../mine",))])


def test_jobs_are_known_to_another_executor_of_the_folder(
    executor: Executor, kind: str, shell: MakeJob, tmp_path: Path
) -> None:
    job = shell("sleep 1; echo 3 > $ROOTFLOW_RESULT")
    [job_id] = executor.submit([job])
    other = make_executor(profile(kind), tmp_path / "batch")
    assert list(other.known()) == [job_id]
    assert other.known()[job_id].name == job.name
    other.wait([job_id], LONG)
    assert other.result(job_id) == 3
    assert executor.wait([job_id], LONG) == other.status([job_id])


def test_an_id_that_is_not_known_is_said(executor: Executor) -> None:
    with pytest.raises(InputError, match=r"there is no job nothing\.0"):
        executor.status(["nothing.0"])


def test_a_running_job_is_cancelled(executor: Executor, shell: MakeJob) -> None:
    [job_id] = executor.submit([shell("sleep 100")])
    until_running(executor, job_id)
    with pytest.raises(JobError, match="job job running"):
        executor.result(job_id)
    executor.cancel([job_id], "not wanted")
    status = executor.wait([job_id], LONG)[job_id]
    assert status.state is State.REMOVED
    assert status.reason.startswith("not wanted")
    executor.cancel([job_id], "again")
    assert executor.status([job_id])[job_id] == status


def test_many_jobs_of_one_submission(kind: str, shell: MakeJob, tmp_path: Path) -> None:
    executor = make_executor(profile(kind, limits={"idle": 5}), tmp_path / "batch")
    jobs = [shell(f"echo {n} > $ROOTFLOW_RESULT", f"job{n}") for n in range(12)]
    ids = executor.submit(jobs)
    assert set(ids) == set(executor.status(ids))
    executor.wait(ids, LONG)
    assert [executor.result(job_id) for job_id in ids] == list(range(12))


def test_one_of_many_is_cancelled_before_it_starts(
    kind: str, shell: MakeJob, tmp_path: Path
) -> None:
    executor = make_executor(profile(kind, slots=2, limits={"idle": 2}), tmp_path / "batch")
    ids = executor.submit([shell("sleep 1", f"job{n}") for n in range(8)])
    executor.cancel(ids[6:7], "not wanted")
    states = [status.state for status in executor.wait(ids, LONG).values()]
    assert states == [State.DONE] * 6 + [State.REMOVED, State.DONE]
    executor.cancel(ids, "all have ended")


def test_all_of_many_are_cancelled(kind: str, shell: MakeJob, tmp_path: Path) -> None:
    executor = make_executor(profile(kind, limits={"idle": 2}), tmp_path / "batch")
    ids = executor.submit([shell("sleep 100", f"job{n}") for n in range(20)])
    executor.wait(ids, 1)
    executor.cancel(ids, "not wanted")
    states = {status.state for status in executor.wait(ids, LONG).values()}
    assert states == {State.REMOVED}


def test_jobs_that_need_different_things_are_submitted_together(
    executor: Executor, kind: str, shell: MakeJob
) -> None:
    jobs = [
        shell(
            "echo $ANSWER > $ROOTFLOW_RESULT",
            f"job{n}",
            resources=profile(kind, job={"environment": {"ANSWER": f'"{n} of 2"'}}).job,
        )
        for n in range(2)
    ]
    ids = executor.submit(jobs)
    executor.wait(ids, LONG)
    assert [executor.result(job_id) for job_id in ids] == ["0 of 2", "1 of 2"]


def test_exit_85_goes_on_later_from_its_outputs(executor: Executor, function: MakeJob) -> None:
    job_id = run(executor, function("count_up", goal=3, outputs=("count.txt",)))
    assert executor.result(job_id) == 3
    assert executor.status([job_id])[job_id].starts == 3


def test_what_never_ends_is_given_up(kind: str, shell: MakeJob, tmp_path: Path) -> None:
    executor = make_executor(profile(kind, limits={"starts": 2}), tmp_path / "batch")
    job_id = run(executor, shell("exit 85"))
    status = executor.status([job_id])[job_id]
    assert (status.state, status.starts) == (State.FAILED, 2)
    assert status.reason.startswith("given up after 2 starts (limits.starts)")


def test_a_failed_job_is_tried_again_where_asked(kind: str, shell: MakeJob, tmp_path: Path) -> None:
    executor = make_executor(profile(kind, retries=1, retry_elsewhere="0s"), tmp_path / "batch")
    good = shell("echo x >> tries.txt; test $(wc -l < tries.txt) = 2", outputs=("tries.txt",))
    ids = executor.submit([good, shell("exit 3", "bad")])
    first, second = executor.wait(ids, LONG).values()
    assert (first.state, first.starts) == (State.DONE, 2)
    assert (second.state, second.starts, second.exit_code) == (State.FAILED, 2, 3)


def test_out_of_run_time_goes_on_from_the_checkpoint(
    kind: str, function: MakeJob, tmp_path: Path
) -> None:
    executor = make_executor(profile(kind, job={"runtime": "5s"}), tmp_path / "batch")
    job_id = run(executor, function("train", epochs=10, seconds=0.5, outputs=("state.json",)))
    assert executor.result(job_id) == list(range(10))
    assert executor.status([job_id])[job_id].starts > 1


def test_a_job_that_hangs_past_its_run_time_has_failed(
    kind: str, shell: MakeJob, tmp_path: Path
) -> None:
    executor = make_executor(profile(kind, job={"runtime": "3s"}), tmp_path / "batch")
    job_id = run(executor, shell("trap '' TERM; while :; do sleep 1; done"))
    status = executor.status([job_id])[job_id]
    assert (status.state, status.exit_code) == (State.FAILED, 124)
    assert "did not stop within 2.0 s of SIGTERM" in status.reason


def test_only_held_jobs_are_released(executor: Executor, shell: MakeJob) -> None:
    job_id = run(executor, shell("true"))
    with pytest.raises(InputError, match="is done, not held"):
        executor.release([job_id])


def test_what_would_be_submitted_is_described(executor: Executor, shell: MakeJob) -> None:
    job = shell("true", "job7")
    assert str(job.directory)[1:] in executor.describe([job])
    assert executor.known() == {}
    assert not job.directory.exists()
