"""What is decided about held jobs, by the codes and reasons that sites give."""

import pytest

from rootflow.batch.care import decide
from rootflow.batch.contract import State
from rootflow.batch.progress import Progress
from rootflow.config.batch import JobConfig, LimitsConfig

LIMITS = LimitsConfig(memory_gib=8, memory_factor=2, disk_gib=10, disk_factor=3, starts=5)


def asked(**words: float) -> JobConfig:
    return JobConfig.model_validate({"memory_gib": 2.0, "disk_gib": 1.0, **words})


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
    decision = decide(progress, asked(), LIMITS)
    assert (decision.action, decision.memory_gib) == ("release", 4.0)


def test_memory_grows_to_what_was_seen_and_to_the_limit() -> None:
    assert decide(held(34, 102, memory_mib=5120), asked(), LIMITS).memory_gib == 6.0
    assert decide(held(34, 102, memory_mib=7168), asked(), LIMITS).memory_gib == 8.0
    assert decide(held(34, 102), asked(memory_gib=8.0), LIMITS).action == "give up"


@pytest.mark.parametrize(
    "progress",
    [
        held(46, 0, "The job exceeded allowed job duration of 120 minutes"),
        held(47),
        held(26, 0, "Job exceeded its wall clock limit"),
    ],
)
def test_out_of_run_time_is_released_for_its_checkpoint(progress: Progress) -> None:
    decision = decide(progress, asked(), LIMITS)
    assert (decision.action, decision.memory_gib) == ("release", None)


@pytest.mark.parametrize(
    ("progress", "advice"),
    [
        (held(12, 2, "Transfer output files failure"), "did the job leave every output"),
        (held(13, 0, "Failed to fetch; Kerberos credential has expired"), "kinit"),
        (held(6, 2, "Failed to execute '/x/python'"), "is `python` of the profile there"),
        (held(34, 103, "cpu usage exceeded request_cpus"), "ask for more cpus"),
        (held(99, 0, "Something new"), "Something new: mend what it says"),
        (held(46, 0, "again", starts=5), "started 5 times"),
    ],
)
def test_what_does_not_pass_is_given_up_with_advice(progress: Progress, advice: str) -> None:
    decision = decide(progress, asked(), LIMITS)
    assert decision.action == "give up"
    assert advice in decision.explanation


@pytest.mark.parametrize(
    "progress",
    [
        held(34, 104, "Job has exceeded its disk"),
        held(21, 104, "disk usage exceeded allocated disk"),
        held(26, 0, "SYSTEM_PERIODIC_HOLD: Disk use above the limit"),
    ],
)
def test_too_little_disk_grows_by_its_factor_up_to_the_limit(progress: Progress) -> None:
    decision = decide(progress, asked(), LIMITS)
    assert (decision.action, decision.changes()) == ("release", {"disk_gib": 3.0})
    assert decide(progress, asked(disk_gib=9.0), LIMITS).disk_gib == 10.0
    refused = decide(progress, asked(disk_gib=10.0), LIMITS)
    assert refused.action == "give up"
    assert "10 GiB were not enough, and limits.disk_gib allows no more" in refused.explanation


@pytest.mark.parametrize("code", [1, 15, 16])
def test_what_people_hold_is_left_alone(code: int) -> None:
    assert decide(held(code, reason="via condor_hold"), asked(), LIMITS).action == "leave"
