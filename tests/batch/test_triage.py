"""What is decided about held jobs, by the codes and reasons that sites give."""

import pytest

from rootflow.batch.contract import State
from rootflow.batch.events import Progress
from rootflow.batch.triage import decide
from rootflow.config.batch import LimitsConfig

LIMITS = LimitsConfig(memory_gib=8, memory_factor=2, starts=5)


def held(code: int, subcode: int = 0, reason: str = "", **more: float) -> Progress:
    progress = Progress(state=State.HELD, reason=reason, hold_code=code, hold_subcode=subcode)
    progress.starts = int(more.get("starts", 1))
    progress.memory_mib = more.get("memory_mib")
    return progress


@pytest.mark.parametrize(
    "progress",
    [
        held(34, 102, "Job has gone over cgroup memory limit of 2048 megabytes"),
        held(21, 102, "memory usage exceeded request_memory"),
        held(26, 0, "SYSTEM_PERIODIC_HOLD: Memory use above the limit"),
        held(3, 0, "The job exceeded its memory"),
    ],
)
def test_too_little_memory_is_doubled(progress: Progress) -> None:
    decision = decide(progress, 2.0, LIMITS)
    assert (decision.action, decision.memory_gib) == ("release", 4.0)


def test_memory_grows_to_what_was_seen_and_to_the_limit() -> None:
    assert decide(held(34, 102, memory_mib=5120), 2.0, LIMITS).memory_gib == 6.0
    assert decide(held(34, 102, memory_mib=7168), 2.0, LIMITS).memory_gib == 8.0
    assert decide(held(34, 102), 8.0, LIMITS).action == "give up"


@pytest.mark.parametrize(
    "progress",
    [
        held(46, 0, "The job exceeded allowed job duration of 120 minutes"),
        held(47),
        held(26, 0, "Job exceeded its wall clock limit"),
    ],
)
def test_out_of_run_time_is_released_for_its_checkpoint(progress: Progress) -> None:
    decision = decide(progress, 2.0, LIMITS)
    assert (decision.action, decision.memory_gib) == ("release", None)


@pytest.mark.parametrize(
    ("progress", "advice"),
    [
        (held(12, 2, "Transfer output files failure"), "did the job leave every output"),
        (held(13, 0, "Failed to fetch; Kerberos credential has expired"), "kinit"),
        (held(6, 2, "Failed to execute '/x/python'"), "is `python` of the profile there"),
        (held(34, 104, "disk usage exceeded request_disk"), "disk_gib"),
        (held(99, 0, "Something new"), "Something new: mend what it says"),
        (held(46, 0, "again", starts=5), "started 5 times"),
    ],
)
def test_what_does_not_pass_is_given_up_with_advice(progress: Progress, advice: str) -> None:
    decision = decide(progress, 2.0, LIMITS)
    assert decision.action == "give up"
    assert advice in decision.explanation


@pytest.mark.parametrize("code", [1, 15, 16])
def test_what_people_hold_is_left_alone(code: int) -> None:
    assert decide(held(code, reason="via condor_hold"), 2.0, LIMITS).action == "leave"
