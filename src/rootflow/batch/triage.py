"""What to do with a job that HTCondor holds."""

import re
from typing import NamedTuple

from rootflow.batch.events import Progress
from rootflow.config.batch import JobConfig, LimitsConfig

# https://htcondor.readthedocs.io, "Job ClassAd Attributes", HoldReasonCode
BY_USER = {1, 15, 16}  # condor_hold, submitted on hold, its inputs are being spooled
BY_POLICY = {3, 21, 26}  # the job's, the node's, the schedd's: the reason says what for
OUT_OF_RESOURCES = 34
OUT_OF_TIME = {46, 47}
TIME = re.compile(r"wall|run ?time|duration|time limit", re.IGNORECASE)
MIB = 1024
MARGIN = 1.2  # of the memory asked for, over the most that was seen


class Resource(NamedTuple):
    """What a job can have too little of: its word, the subcode of 21 and 34, what reasons say."""

    word: str
    subcode: int
    pattern: re.Pattern[str]


RESOURCES = (
    Resource("memory_gib", 102, re.compile(r"memory", re.IGNORECASE)),
    Resource("disk_gib", 104, re.compile(r"disk", re.IGNORECASE)),
)

ADVICE = {
    4: "the credential is damaged: renew it (kinit, or voms-proxy-init), then release the job",
    6: "the program could not be started on the node: is `python` of the profile there?",
    7: "the job's log files cannot be written: is the folder seen by the schedd, and not full?",
    12: "outputs could not be brought back: is there room, and did the job leave every output?",
    13: "inputs could not be brought to the node: are they still there, and readable?",
    14: "the job's folder is not there on the node: use a profile with files: transfer",
    22: "the event log cannot be written: is the executor's folder seen by the schedd?",
    32: "inputs are larger than the site allows: put them where nodes see them",
    33: "outputs are larger than the site allows: name fewer, or an output_destination",
    34: "the job used more than it asked for: ask for more cpus",
    35: "the container image cannot be used: does job.container exist where nodes see it?",
}
CREDENTIAL = re.compile(r"credential|kerberos|proxy|token|permission|AFS", re.IGNORECASE)
CREDENTIAL_ADVICE = "renew your credential (kinit, or voms-proxy-init), then release the job"
OTHERWISE = "mend what it says, then release the job, or remove it"


class Remedy(NamedTuple):
    """What to do: leave, release or give up; the rest is what to ask for from now on, in GiB."""

    action: str
    explanation: str = ""
    memory_gib: float | None = None
    disk_gib: float | None = None

    def changes(self) -> dict[str, float]:
        """Return the words of JobConfig that change."""
        return {
            resource.word: getattr(self, resource.word)
            for resource in RESOURCES
            if getattr(self, resource.word) is not None
        }


LEAVE = Remedy("leave")


def decide(progress: Progress, asked: JobConfig, limits: LimitsConfig) -> Remedy:
    """Return what to do with a held job that asked for what `asked` says."""
    code, subcode, reason = progress.hold_code, progress.hold_subcode, progress.reason
    if code in BY_USER:
        return LEAVE
    if progress.starts >= limits.starts:
        return _give_up(reason, f"it has started {progress.starts} times (limits.starts)")
    by_policy = code in BY_POLICY
    for resource in RESOURCES:
        too_little = subcode == resource.subcode and code in (*BY_POLICY, OUT_OF_RESOURCES)
        if too_little or (by_policy and resource.pattern.search(reason)):
            return _more(resource, progress, asked, limits)
    if code in OUT_OF_TIME or (by_policy and TIME.search(reason)):
        return Remedy("release", "out of run time: goes on from its checkpoint")
    if CREDENTIAL.search(reason):
        return _give_up(reason, CREDENTIAL_ADVICE)
    return _give_up(reason, ADVICE.get(code, OTHERWISE))


def _more(resource: Resource, progress: Progress, asked: JobConfig, limits: LimitsConfig) -> Remedy:
    word, name = resource.word, resource.word.removesuffix("_gib")
    had, most = getattr(asked, word), getattr(limits, word)
    if had >= most:
        return _give_up(
            progress.reason, f"{had:g} GiB were not enough, and limits.{word} allows no more"
        )
    wanted = had * getattr(limits, f"{name}_factor")
    if word == "memory_gib":
        wanted = max(wanted, (progress.memory_mib or 0.0) / MIB * MARGIN)
    more = round(min(wanted, most), 3)
    return Remedy("release", f"out of {name}: asks for {more:g} GiB", **{word: more})


def _give_up(reason: str, advice: str) -> Remedy:
    return Remedy("give up", f"{reason}: {advice}" if reason else advice)
