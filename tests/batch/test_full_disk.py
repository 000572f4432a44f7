"""A node's disk that is too small: for what was asked for, or at all."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import second_node
from batch_jobs import MakeJob, profile
from condor_pool import Pool
from own_mounts import OWN_MOUNTS, needs_mounts
from rootflow.batch import State, make_executor
from rootflow.batch import job as on_node

LONG = 180.0


@pytest.mark.usefixtures("pool")
def test_more_disk_than_asked_for_is_met_with_more_and_remembered(
    shell: MakeJob, tmp_path: Path
) -> None:
    executor = make_executor(profile("transfer"), tmp_path / "batch")
    line = "head -c 15000000 /dev/zero > scratch.bin; sleep 7"
    [job_id] = executor.submit([shell(line)])
    status = executor.wait([job_id], LONG)[job_id]
    assert (status.state, status.starts) == (State.DONE, 2)
    later = make_executor(profile("transfer"), tmp_path / "batch")
    assert "request_disk = 20972" in later.describe([shell("true", "later")])


@pytest.mark.usefixtures("pool")
def test_there_is_an_end_to_more_disk(shell: MakeJob, tmp_path: Path) -> None:
    words = profile("transfer", limits={"disk_gib": 0.01})
    executor = make_executor(words, tmp_path / "batch")
    [job_id] = executor.submit([shell("head -c 15000000 /dev/zero > scratch.bin; sleep 30")])
    status = executor.wait([job_id], LONG)[job_id]
    assert (status.state, status.given_up) == (State.HELD, True)
    assert "0.01 GiB were not enough, and limits.disk_gib allows no more" in status.reason
    executor.cancel([job_id], "enough")


@pytest.fixture
def small_disk(pool: Pool) -> Iterator[None]:
    """Give the second node a disk of 4 MB."""
    place = pool.directory / second_node.EXECUTE
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=755", "tmpfs", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"needs root: {done.stderr.strip()}")
    yield
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.usefixtures("small_disk")
@pytest.mark.parametrize("line", ["cat /dev/zero > all.bin", "cat /dev/zero >&2"])
def test_a_full_disk_is_a_failure_that_says_so(line: str, shell: MakeJob, tmp_path: Path) -> None:
    executor = make_executor(profile("transfer", job=second_node.ONLY_THERE), tmp_path / "batch")
    [job_id] = executor.submit([shell(line)])
    status = executor.wait([job_id], LONG)[job_id]
    assert (status.state, status.exit_code) == (State.FAILED, 1)
    assert status.host == second_node.NAME
    assert "no space left" in status.reason.lower()


def in_small_disk(tmp_path: Path, spec: dict[str, object]) -> tuple[int, dict[str, object], str]:
    """Run a job in a disk of 512 kB; return its exit status, outcome and traceback."""
    disk = tmp_path / "disk"
    disk.mkdir()
    (tmp_path / on_node.SPEC).write_text(json.dumps(spec))
    script = (
        f"mount -t tmpfs -o size=512k tmpfs {disk}; cd {disk}; cp ../{on_node.SPEC} .; status=0;"
        f"{sys.executable} {on_node.__file__} {on_node.SPEC} 2>stderr.txt || status=$?;"
        f"cp {on_node.OUTCOME} {on_node.TRACEBACK} ..; exit $status"
    )
    status = subprocess.run([*OWN_MOUNTS, script], check=False).returncode
    outcome = json.loads((tmp_path / on_node.OUTCOME).read_text())
    return status, outcome, (tmp_path / on_node.TRACEBACK).read_text()


@needs_mounts
def test_a_job_that_fills_its_disk_still_leaves_its_outcome(tmp_path: Path) -> None:
    command = ["bash", "-c", "cat /dev/zero > all.bin || exit 4"]
    status, outcome, traceback = in_small_disk(tmp_path, {"command": command})
    assert (status, outcome["exit_code"]) == (4, 4)
    assert "no space left in" in traceback
    assert "ask for more disk_gib" in traceback


@needs_mounts
def test_a_checkpoint_that_finds_no_room_is_a_failure(tmp_path: Path) -> None:
    command = ["bash", "-c", "head -c 300000 /dev/zero > state.bin; exit 85"]
    spec = {"command": command, "carried": True, "outputs": ["state.bin"]}
    status, outcome, traceback = in_small_disk(tmp_path, spec)
    assert (status, outcome["exit_code"]) == (1, 1)
    assert traceback == "outputs could not be kept: No space left on device\n"
