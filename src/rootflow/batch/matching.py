"""Why no machine runs a job: how many of the pool's fulfil each thing that it requires."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click

from rootflow.batch.contract import State
from rootflow.batch.description import AVOID, KIB, MIB
from rootflow.batch.progress import Progress
from rootflow.batch.schedd import Schedd, machines
from rootflow.config.batch import LimitsConfig
from rootflow.errors import RootflowError

SECONDS_BETWEEN_LOOKS = 60.0
ONE_IN = 20  # of the time may go into looking
MOST_GROUPS = 100  # of jobs that are alike
# Of a slot that is cut into others: what is free now, and what there is in all.
IN_ALL = {name: f"TotalSlot{name}" for name in ("Cpus", "Memory", "Disk")}
OF_SLOTS = ["Machine", "Start", *IN_ALL, *IN_ALL.values()]
# What a request is called, in which unit, and what of a machine it is for.
REQUESTS = (
    ("RequestCpus", "Cpus", "{:g} or more CPUs", 1),
    ("RequestMemory", "Memory", "{:.4g} GiB of memory", MIB),
    ("RequestDisk", "Disk", "{:.4g} GiB of disk", KIB),
)
GPUS = "RequestGPUs"
NOT_EVERY_JOBS_OWN = ("Requirements", AVOID, GPUS, *(request for request, *_ in REQUESTS))
ASKED_ABOVE = {f"TARGET.{of} >= {request}" for request, of, _, _ in REQUESTS}


class Condition(NamedTuple):
    """What a machine is to be like, in words, and whether a slot is."""

    words: str
    holds: Callable[[Any], bool]


class Matching:
    """Finds the jobs that wait though no machine can run them, and says why."""

    def __init__(
        self, folder: Path, schedd: Schedd, name_of: Callable[[str], str], limits: LimitsConfig
    ) -> None:
        self._folder, self._schedd, self._name_of = folder, schedd, name_of
        self._patience = limits.explain_idle
        self._reasons: dict[str, str] = {}
        self._said: set[str] = set()
        self._next_look = 0.0

    def reason(self, job_id: str) -> str:
        """Return why no machine runs an idle job; empty where one can, or that is not known."""
        return self._reasons.get(job_id, "")

    def look_after(self, jobs: Mapping[str, Progress]) -> None:
        """Look, now and then, at the jobs that have waited for long."""
        if self._patience is None or time.monotonic() < self._next_look:
            return
        began = time.monotonic()
        since = time.time() - self._patience.total_seconds()
        waiting = [
            key
            for key, progress in jobs.items()
            if progress.state is State.IDLE and progress.since and progress.since < since
        ]
        if waiting or self._reasons:
            self._explain(waiting, jobs)
        spent = time.monotonic() - began
        pause = min(SECONDS_BETWEEN_LOOKS, self._patience.total_seconds())
        self._next_look = time.monotonic() + max(pause, ONE_IN * spent)

    def _explain(self, waiting: Sequence[str], jobs: Mapping[str, Progress]) -> None:
        groups: dict[tuple[str, int], list[str]] = defaultdict(list)
        for job_id in waiting:  # those of a submission are alike, but for what was changed since
            groups[job_id.partition(".")[0], jobs[job_id].holds].append(job_id)
        chosen = {self._name_of(each[0]): each for each in list(groups.values())[:MOST_GROUPS]}
        try:
            ads = self._schedd.ads(list(chosen))
            slots = machines({name for ad in ads for name in _references(ad)}) if ads else []
        except RootflowError:
            return  # who is away is not asked why
        found = {job_id: self.reason(job_id) for job_id in waiting}
        known = dict[tuple[str, ...], str]()
        for ad in ads:
            key = tuple(str(ad.lookup(name)) for name in NOT_EVERY_JOBS_OWN if name in ad)
            if key not in known:
                known[key] = explanation(ad, slots)
            name = f"{ad['ClusterId']}.{ad['ProcId']}"
            found |= dict.fromkeys(chosen[name], known[key])
            if known[key] and known[key] not in self._said:
                self._said.add(known[key])
                others = len(chosen[name]) - 1
                which = f"job {name}" + (f" and {others} like it" if others else "")
                click.echo(f"rootflow: {which} waits: {known[key]}", err=True)
        self._reasons = {job_id: why for job_id, why in found.items() if why}


def explanation(job: Any, slots: Sequence[Any]) -> str:
    """Return how many machines fulfil each thing that a job requires; empty if one fulfils all.

    `job` and `slots` are their ads. What jobs take at the moment counts as free.
    """
    for slot in slots:
        for now, in_all in IN_ALL.items():
            if in_all in slot:
                slot[now] = slot[in_all]
    conditions = list(_conditions(job))
    fulfilled = [[bool(condition.holds(slot)) for condition in conditions] for slot in slots]
    if any(map(all, fulfilled)):
        return ""
    if not slots:
        return "no machine can run it: the pool has none"
    every = {str(slot["Machine"]) for slot in slots}
    counted = []
    for place, condition in enumerate(conditions):
        good = {
            str(slot["Machine"])
            for slot, holds in zip(slots, fulfilled, strict=True)
            if holds[place]
        }
        counted.append((len(good), condition.words))
    counts = ", ".join(f"{count} {words}" for count, words in sorted(counted, key=lambda c: c[0]))
    return f"no machine can run it: of {len(every)} in the pool, {counts}"


def conjuncts(expression: str) -> list[str]:
    """Return the parts of a ClassAd expression that must all be true."""
    text = _without_parentheses(expression)
    parts, depth, begin, place = [], 0, 0, 0
    while place < len(text):
        if text[place] in "\"'":
            place = _end_of_quoted(text, place)
        elif text[place] in "([{":
            depth += 1
        elif text[place] in ")]}":
            depth -= 1
        elif depth == 0 and text.startswith("&&", place):
            parts.append(text[begin:place])
            begin = place = place + 2
            continue
        # Where it is one of several alternatives, or another question, it is a part as a whole.
        elif depth == 0 and (text.startswith("||", place) or text[place] == "?"):
            return [text]
        place += 1
    if not parts:
        return [text]
    return [each for part in (*parts, text[begin:]) for each in conjuncts(part)]


def _without_parentheses(text: str) -> str:
    """Return an expression without those that are around it as a whole."""
    text = text.strip()
    while text.startswith("(") and _end_of_parenthesis(text) == len(text) - 1:
        text = text[1:-1].strip()
    return text


def _end_of_parenthesis(text: str) -> int:
    depth, place = 0, 0
    while place < len(text):
        if text[place] in "\"'":
            place = _end_of_quoted(text, place)
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            return place
        place += 1
    return place


def _end_of_quoted(text: str, begin: int) -> int:
    place = begin + 1
    while place < len(text) and text[place] != text[begin]:
        place += 2 if text[place] == "\\" else 1
    return place


def _conditions(job: Any) -> Iterator[Condition]:
    from classad2 import ExprTree

    for request, of, words, unit in REQUESTS:
        amount = float(job.get(request, 0))
        yield Condition(f"with {words.format(amount / unit)}", partial(_has, of, amount))
    for text in conjuncts(str(job.lookup("Requirements"))):
        if text not in ASKED_ABOVE and "RequestDisk" not in text:
            yield Condition(_words_for(text, job), partial(_fulfils, ExprTree(text), job))
    yield Condition("that accept jobs like it", partial(_accepts, job))


def _has(what: str, amount: float, slot: Any) -> bool:
    return float(slot.get(what, 0)) >= amount


def _fulfils(expression: Any, job: Any, slot: Any) -> bool:
    return expression.eval(job, slot) is True


def _accepts(job: Any, slot: Any) -> bool:
    """Return whether the machine's owner lets it run such jobs, as far as that can be told."""
    return "Start" not in slot or slot.lookup("Start").eval(slot, job) is not False


def _words_for(text: str, job: Any) -> str:
    if GPUS in text:
        return f"with {job.get(GPUS, 0)} such GPUs"
    if AVOID in text:
        return "that jobs do not avoid"
    if "LastRemoteHost" in text:
        return "that it has not just failed on"
    return f"with {text.replace('TARGET.', '')}"


def _references(job: Any) -> Iterator[str]:
    """Yield the attributes of a machine that a job's requirements name."""
    for name in job.externalRefs(job.lookup("Requirements")):
        yield name.removeprefix("TARGET.")
    yield from OF_SLOTS
