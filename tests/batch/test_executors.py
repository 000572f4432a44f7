"""The executors' contract, kept by each of them."""

import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from batch_jobs import MakeJob, call, profile, shell_job
from rootflow.batch import Executor, Job, JobError, State, Status, make_executor
from rootflow.errors import InputError, UsageError

LONG = 180.0


class Ended(NamedTuple):
    """Jobs of one executor that have ended."""

    executor: Executor
    jobs: dict[str, Job]
    ids: dict[str, str]

    def status(self, name: str) -> Status:
        return self.executor.status([self.ids[name]])[self.ids[name]]

    def result(self, name: str) -> Any:
        return self.executor.result(self.ids[name])


def jobs_below(place: Path, kind: str) -> list[Job]:
    """Return jobs of many sorts, the longest first: they run at the same time."""
    (place / "events").mkdir()
    (place / "events" / "a.txt").write_text("jets")
    (place / "map.txt").write_text("GeV")
    inputs = (place / "events", place / "map.txt")
    short = profile(kind, job={"runtime": "6s"}).job
    answers = [profile(kind, job={"environment": {"ANSWER": f'"{n} of 2"'}}).job for n in range(2)]
    files = "mkdir -p out/deep && cat events/a.txt map.txt > out/deep/both.txt && touch empty.txt"
    return [
        shell_job(place, "exit 85", "never"),
        call(
            place, "train", "train", epochs=9, seconds=0.5, outputs=("state.json",), resources=short
        ),
        call(place, "count_up", "count", goal=2, outputs=("count.txt",)),
        shell_job(place, "trap '' TERM; while :; do sleep 1; done", "hangs", resources=short),
        shell_job(
            place, 'echo spoken; echo shouted >&2; echo [1,2] > "$ROOTFLOW_RESULT"', "speaks"
        ),
        call(place, "add", "add", first=2, second=3),
        call(place, "stumble", "stumbles"),
        shell_job(place, "echo bad luck >&2; exit 7", "fails"),
        shell_job(place, "kill -11 $$", "crashes"),
        Job("nowhere", ("nowhere",), place / "nowhere"),
        shell_job(place, files, "files", inputs=inputs, outputs=("out", "empty.txt")),
        shell_job(place, "true", "forgets", outputs=("model.keras",)),
        *(
            shell_job(place, "echo $ANSWER > $ROOTFLOW_RESULT", f"answer{n}", resources=answer)
            for n, answer in enumerate(answers)
        ),
    ]


@pytest.fixture(scope="module", params=["local", "shared", "transfer"])
def ended(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Run all these jobs together, with executors of each kind."""
    kind = str(request.param)
    if kind != "local":
        request.getfixturevalue("pool")
    place = tmp_path_factory.mktemp(kind)
    words = profile(kind, slots=12, limits={"starts": 3})
    executor = make_executor(words, place / "batch")
    jobs = {job.name: job for job in jobs_below(place, kind)}
    ids = dict(zip(jobs, executor.submit(list(jobs.values())), strict=True))
    executor.wait(list(ids.values()), LONG)
    return Ended(executor, jobs, ids)


def run(executor: Executor, job: Job) -> str:
    [job_id] = executor.submit([job])
    executor.wait([job_id], LONG)
    return job_id


def until_running(executor: Executor, job_id: str) -> None:
    deadline = time.monotonic() + LONG
    while executor.status([job_id])[job_id].state is not State.RUNNING:
        assert time.monotonic() < deadline
        executor.wait([job_id], 0.1)


def test_a_command_leaves_result_logs_and_outcome(ended: Ended) -> None:
    status = ended.status("speaks")
    assert (status.state, status.exit_code, status.starts) == (State.DONE, 0, 1)
    assert status.host
    assert status.wall_seconds is not None
    assert status.memory_mib is not None
    assert ended.result("speaks") == [1, 2]
    logs = ended.executor.logs(ended.ids["speaks"])
    assert (logs.stdout, logs.stderr) == ("spoken\n", "shouted\n")
    assert logs.events


def test_a_function_gives_its_result(ended: Ended) -> None:
    assert ended.result("add") == {"sum": 5}


def test_a_failure_comes_home_with_its_traceback(ended: Ended) -> None:
    status = ended.status("stumbles")
    assert (status.state, status.exit_code) == (State.FAILED, 1)
    assert status.reason == "exit code 1: ValueError: no jets left"
    with pytest.raises(JobError, match=r"(?s)Traceback.*in stumble\n.*ValueError: no jets left"):
        ended.result("stumbles")


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [("fails", 7, "exit code 7: bad luck"), ("crashes", 139, "exit code 139")],
)
def test_a_command_that_fails_says_why(ended: Ended, name: str, code: int, reason: str) -> None:
    status = ended.status(name)
    assert (status.state, status.exit_code, status.reason) == (State.FAILED, code, reason)


def test_a_program_that_is_not_there_is_named(ended: Ended) -> None:
    assert ended.status("nowhere").reason == "exit code 127: nowhere: No such file or directory"


def test_files_go_in_and_come_out(ended: Ended) -> None:
    assert ended.status("files").state is State.DONE
    folder = ended.jobs["files"].directory
    assert (folder / "out" / "deep" / "both.txt").read_text() == "jetsGeV"
    assert (folder / "empty.txt").exists()


def test_an_output_that_is_not_made_is_a_failure(ended: Ended) -> None:
    assert ended.status("forgets").reason == "exit code 1: outputs are missing: model.keras"


def test_jobs_that_need_different_things_are_submitted_together(ended: Ended) -> None:
    assert [ended.result(f"answer{n}") for n in range(2)] == ["0 of 2", "1 of 2"]


def test_exit_85_goes_on_later_from_its_outputs(ended: Ended) -> None:
    assert ended.result("count") == 2
    assert ended.status("count").starts == 2


def test_what_never_ends_is_given_up(ended: Ended) -> None:
    status = ended.status("never")
    assert (status.state, status.starts) == (State.FAILED, 3)
    assert status.reason.startswith("given up after 3 starts (limits.starts)")


def test_out_of_run_time_goes_on_from_the_checkpoint(ended: Ended) -> None:
    epochs = ended.result("train")
    assert len(epochs) == 9
    assert epochs[0] == 0 < epochs[-1]
    assert ended.status("train").starts > 1


def test_a_job_that_hangs_past_its_run_time_has_failed(ended: Ended) -> None:
    status = ended.status("hangs")
    assert (status.state, status.exit_code) == (State.FAILED, 124)
    assert "did not stop within 2.0 s of SIGTERM" in status.reason


def test_only_held_jobs_are_released(ended: Ended) -> None:
    with pytest.raises(InputError, match="is done, not held"):
        ended.executor.release([ended.ids["speaks"]])


@pytest.mark.parametrize("kind", ["local", "shared"], indirect=True)
def test_an_input_that_is_not_there_is_said_before_anything_runs(
    executor: Executor, shell: MakeJob, tmp_path: Path
) -> None:
    jobs = [shell("true", "first"), shell("true", "second", inputs=(tmp_path / "gone",))]
    with pytest.raises(InputError, match=r"job second: input .*gone is not there"):
        executor.submit(jobs)
    assert executor.known() == {}


@pytest.mark.parametrize("kind", ["local", "shared"], indirect=True)
def test_an_output_elsewhere_is_refused(executor: Executor, shell: MakeJob) -> None:
    with pytest.raises(UsageError, match="name it relative to the job's folder"):
        executor.submit([shell("true", outputs=("../mine",))])


@pytest.mark.parametrize("kind", ["local", "shared"], indirect=True)
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


@pytest.mark.parametrize("kind", ["local", "shared"], indirect=True)
def test_an_id_that_is_not_known_is_said(executor: Executor) -> None:
    with pytest.raises(InputError, match=r"there is no job nothing\.0"):
        executor.status(["nothing.0"])


@pytest.mark.parametrize("kind", ["local", "shared"], indirect=True)
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
    # How long it took may be known only now.
    again = executor.status([job_id])[job_id]
    assert (again.state, again.reason) == (status.state, status.reason)


def test_many_jobs_of_one_submission(kind: str, shell: MakeJob, tmp_path: Path) -> None:
    executor = make_executor(profile(kind, limits={"idle": 5}), tmp_path / "batch")
    jobs = [shell(f"echo {n} > $ROOTFLOW_RESULT", f"job{n}") for n in range(12)]
    ids = executor.submit(jobs)
    assert set(ids) == set(executor.status(ids))
    executor.wait(ids, LONG)
    assert [executor.result(job_id) for job_id in ids] == list(range(12))


@pytest.mark.parametrize("kind", ["local", "shared"], indirect=True)
def test_one_of_many_is_cancelled_before_it_starts(
    kind: str, shell: MakeJob, tmp_path: Path
) -> None:
    executor = make_executor(profile(kind, slots=2, limits={"idle": 2}), tmp_path / "batch")
    ids = executor.submit([shell("sleep 1", f"job{n}") for n in range(8)])
    executor.cancel(ids[6:7], "not wanted")
    states = [status.state for status in executor.wait(ids, LONG).values()]
    assert states == [State.DONE] * 6 + [State.REMOVED, State.DONE]
    executor.cancel(ids, "all have ended")


@pytest.mark.parametrize("kind", ["local", "shared"], indirect=True)
def test_all_of_many_are_cancelled(kind: str, shell: MakeJob, tmp_path: Path) -> None:
    executor = make_executor(profile(kind, limits={"idle": 2}), tmp_path / "batch")
    ids = executor.submit([shell("sleep 100", f"job{n}") for n in range(20)])
    executor.wait(ids, 1)
    executor.cancel(ids, "not wanted")
    states = {status.state for status in executor.wait(ids, LONG).values()}
    assert states == {State.REMOVED}


def test_a_failed_job_is_tried_again_where_asked(kind: str, shell: MakeJob, tmp_path: Path) -> None:
    executor = make_executor(profile(kind, retries=1, retry_elsewhere="0s"), tmp_path / "batch")
    good = shell("echo x >> tries.txt; test $(wc -l < tries.txt) = 2", outputs=("tries.txt",))
    ids = executor.submit([good, shell("exit 3", "bad")])
    first, second = executor.wait(ids, LONG).values()
    assert (first.state, first.starts) == (State.DONE, 2)
    assert (second.state, second.starts, second.exit_code) == (State.FAILED, 2, 3)


def test_what_would_be_submitted_is_described(executor: Executor, shell: MakeJob) -> None:
    job = shell("true", "job7")
    assert str(job.directory)[1:] in executor.describe([job])
    assert executor.known() == {}
    assert not job.directory.exists()
