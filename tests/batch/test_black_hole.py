"""Real jobs flow past a node that fails all it gets."""

import json
from pathlib import Path

import pytest

import second_node
from batch_jobs import MakeJob, profile
from condor_pool import Pool
from rootflow.batch import State, make_executor

LONG = 180.0


def test_a_black_hole_is_avoided(
    shell: MakeJob, tmp_path: Path, pool: Pool, capfd: pytest.CaptureFixture[str]
) -> None:
    words = profile("shared", job=second_node.BOTH_NODES, limits={"idle": 30})
    executor = make_executor(words, tmp_path / "batch")
    first_node = profile("shared").job
    executor.wait(
        executor.submit([shell("true", f"good{n}", resources=first_node) for n in range(8)]), LONG
    )
    with second_node.broken(pool.directory):
        ids = executor.submit([shell("sleep 0.3", f"job{n}") for n in range(100)])
        statuses = executor.wait(ids, LONG)
        avoided = [line for line in capfd.readouterr().err.splitlines() if "avoid" in line]
        assert len(avoided) == 1
        assert avoided[0].startswith(f"rootflow: jobs avoid {second_node.NAME}: the last ")
        lost = [status for status in statuses.values() if status.state is State.FAILED]
        assert 3 <= len(lost) < 75
        assert all(status.host == second_node.NAME for status in lost)
        assert all(status.machine_at_fault for status in lost)
        expected = "exit code 3: /cvmfs is not there; jobs avoid second.localdomain: the last "
        assert all(status.reason.startswith(expected) for status in lost)
        later = make_executor(words, tmp_path / "batch")  # as after a restart
        more = later.submit([shell("true", f"more{n}") for n in range(12)])
        assert {each.state for each in later.wait(more, LONG).values()} == {State.DONE}
        assert second_node.NAME not in {each.host for each in later.status(more).values()}
    assert "avoid" not in capfd.readouterr().err
    [note] = map(json.loads, (tmp_path / "batch" / "machines.jsonl").read_text().splitlines())
    assert (note["machine"], note["avoided"]) == (second_node.NAME, True)


@pytest.mark.parametrize("kind", ["transfer", "spool"])
def test_jobs_that_a_black_hole_has_held_run_elsewhere(
    kind: str, shell: MakeJob, tmp_path: Path, pool: Pool
) -> None:
    """Without its files a job cannot say that it failed: HTCondor holds it."""
    words = profile(kind, job=second_node.BOTH_NODES)
    executor = make_executor(words, tmp_path / "batch")
    with second_node.broken(pool.directory):
        ids = executor.submit([shell("true", f"job{n}") for n in range(20)])
        statuses = executor.wait(ids, LONG)
    assert {each.state for each in statuses.values()} == {State.DONE}
    assert max(each.starts for each in statuses.values()) == 2
    assert {each.host for each in statuses.values()} != {second_node.NAME}


def test_retried_jobs_are_not_lost_to_a_black_hole(
    shell: MakeJob, tmp_path: Path, pool: Pool
) -> None:
    words = profile("shared", job=second_node.BOTH_NODES, retries=1)
    executor = make_executor(words, tmp_path / "batch")
    with second_node.broken(pool.directory):
        ids = executor.submit([shell("sleep 0.5", f"job{n}") for n in range(30)])
        statuses = executor.wait(ids, LONG)
    assert {each.state for each in statuses.values()} == {State.DONE}
    assert max(each.starts for each in statuses.values()) == 2


@pytest.mark.usefixtures("pool")
def test_jobs_that_fail_everywhere_find_no_machine_at_fault(shell: MakeJob, tmp_path: Path) -> None:
    words = profile("shared", job=second_node.BOTH_NODES)
    executor = make_executor(words, tmp_path / "batch")
    ids = executor.submit([shell("sleep 1; exit 1", f"job{n}") for n in range(60)])
    statuses = executor.wait(ids, LONG)
    assert {each.state for each in statuses.values()} == {State.FAILED}
    assert len({each.host for each in statuses.values()}) == 2
    assert not (tmp_path / "batch" / "machines.jsonl").exists()
