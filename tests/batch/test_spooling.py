"""Files spooled to a schedd that does not see them: state and files come by asking it."""

from pathlib import Path

import pytest

from batch_jobs import MakeJob, profile
from rootflow.batch import State, make_executor

LONG = 180.0
pytestmark = pytest.mark.usefixtures("pool")


def test_files_and_results_are_fetched(shell: MakeJob, function: MakeJob, tmp_path: Path) -> None:
    (tmp_path / "map.txt").write_text("GeV")
    executor = make_executor(profile("spool"), tmp_path / "batch")
    line = "mkdir out; cp map.txt out; echo said; echo 1 > $ROOTFLOW_RESULT"
    good = shell(line, inputs=(tmp_path / "map.txt",), outputs=("out",))
    ids = executor.submit([good, function("stumble", "bad")])
    first, second = executor.wait(ids, LONG).values()
    assert (first.state, first.exit_code, first.starts) == (State.DONE, 0, 1)
    assert executor.result(ids[0]) == 1
    assert executor.logs(ids[0]).stdout == "said\n"
    assert (good.directory / "out" / "map.txt").read_text() == "GeV"
    assert (second.state, second.reason) == (State.FAILED, "exit code 1: ValueError: no jets left")
    other = make_executor(profile("spool"), tmp_path / "batch")
    assert other.status(ids) == {ids[0]: first, ids[1]: second}


def test_a_job_goes_on_later_and_another_is_cancelled(
    shell: MakeJob, function: MakeJob, tmp_path: Path
) -> None:
    executor = make_executor(profile("spool"), tmp_path / "batch")
    ids = executor.submit(
        [function("count_up", goal=2, outputs=("count.txt",)), shell("sleep 100", "long")]
    )
    executor.cancel(ids[1:], "not wanted")
    first, second = executor.wait(ids, LONG).values()
    assert (first.state, first.starts) == (State.DONE, 2)
    assert executor.result(ids[0]) == 2
    assert second.state is State.REMOVED
    assert second.reason.startswith("not wanted")
