"""Jobs that no machine can run."""

import time
from pathlib import Path

import pytest

from batch_jobs import profile, shell_job
from rootflow.batch import State, make_executor
from rootflow.batch.matching import conjuncts

LONG = 120.0


@pytest.mark.parametrize(
    ("expression", "parts"),
    [
        ("A", ["A"]),
        ('(Machine == "a && b") && B', ['Machine == "a && b"', "B"]),
        ("((A && (B || C)) && f(x, y && z))", ["A", "B || C", "f(x, y && z)"]),
        ("A && B || C", ["A && B || C"]),
        ("A && (B ? C && D : E)", ["A", "B ? C && D : E"]),
        ("(A) && (B)", ["A", "B"]),
        (r'Name == "\") && " && B', [r'Name == "\") && "', "B"]),
    ],
)
def test_an_expression_is_parted_where_both_sides_must_be_true(
    expression: str, parts: list[str]
) -> None:
    assert conjuncts(expression) == parts


@pytest.mark.usefixtures("pool")
@pytest.mark.parametrize("files", ["shared", "spool"])
def test_a_job_that_waits_for_no_machine_says_why(
    tmp_path: Path, files: str, capfd: pytest.CaptureFixture[str]
) -> None:
    needs = {"requirements": 'Machine == "nowhere" && OpSys == "LINUX"', "memory_gib": 9e5}
    limits = {"explain_idle": "1s"}
    strange = make_executor(profile(files, job=needs, limits=limits), tmp_path / "strange")
    plain = make_executor(profile(files, job={"cpus": 12}, limits=limits), tmp_path / "plain")
    first, other = strange.submit([shell_job(tmp_path, "true", name) for name in ("one", "two")])
    # One takes all of the machine, the other waits for it: in time it will run.
    ids = plain.submit([shell_job(tmp_path, "sleep 600", name) for name in ("runs", "waits")])
    deadline = time.monotonic() + LONG
    while not (
        strange.wait([first], 0.2)[first].reason
        and sorted(status.state for status in plain.wait(ids, 0.2).values())
        == [State.IDLE, State.RUNNING]
    ):
        assert time.monotonic() < deadline
    for _ in range(8):
        plain.wait(ids, 0.5)
    assert {status.reason for status in plain.status(ids).values()} == {""}
    status = strange.status([first, other])
    assert {each.state for each in status.values()} == {State.IDLE}
    assert status[first].reason == status[other].reason
    for part in (
        "no machine can run it: of ",
        '0 with Machine == "nowhere"',
        "0 with 9e+05 GiB of memory",
        'with OpSys == "LINUX"',
        "with 1 or more CPUs",
        "that jobs do not avoid",
        "that accept jobs like it",
    ):
        assert part in status[first].reason
    said = [line for line in capfd.readouterr().err.splitlines() if "no machine" in line]
    [line] = said
    assert line.startswith(
        f"rootflow: job {strange.name_of(first)} and 1 like it waits: no machine"
    )
    strange.cancel([first, other], "tried")
    plain.cancel(ids, "tried")
