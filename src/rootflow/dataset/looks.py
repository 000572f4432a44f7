"""What can be read of the files of samples, found out before anything is written."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from rootflow.config.block import digest_of
from rootflow.config.data import BadFiles
from rootflow.dataset.manifest import SkippedFile
from rootflow.dataset.samples import SamplePlan
from rootflow.errors import InputError
from rootflow.formats import NoTreeError, glance, open_table
from rootflow.ntuple.reading import Expectation
from rootflow.ntuple.sums_of_weights import BesideEvents, sum_of_weights
from rootflow.places import Place
from rootflow.places.access import name_and_status
from rootflow.progress import progress

LOOKS_AT_ONCE = 8
# What takes longer is worth telling how far it is.
QUICK_SECONDS = 2.0
# Of bad files, in one message.
NAMED = 20


class Look(NamedTuple):
    """What there is in a file that can be read: no tree at all, or one with friends elsewhere."""

    without_tree: str | None = None
    friends: tuple[Place, ...] = ()


Looks = Mapping[Place, Look | InputError]

# By what names a file, its status, and what was asked: each process looks once.
_LOOKS: dict[tuple[Any, ...], Look] = {}


def looked_at(plans: Sequence[SamplePlan], bad_files: BadFiles) -> list[SamplePlan]:
    """Return the plans with what a look at each file told, without bad files if they are skipped.

    Bad is a file that is missing, empty, truncated or of no known format, in which the branches or
    the sum of weights that the branch map names are not, or no tree, unless no event was selected.
    That is so of a whole ROOT file without the tree that has the sum of weights which the map
    names beside the events, or, where it names none, other objects but no tree.

    Raises
    ------
    InputError
        Bad files are not to be skipped, and there are some: all are named. No file of a sample is
        left, or none has the tree.
    """
    looks = _looks_at(plans)
    faults = [
        look for of_plan in looks for look in of_plan.values() if isinstance(look, InputError)
    ]
    if bad_files == "refuse" and faults:
        raise _refusal(faults, sum(map(len, looks)))
    return [_of_sound_files(plan, of_plan) for plan, of_plan in zip(plans, looks, strict=True)]


def with_friends(plans: Sequence[SamplePlan]) -> list[SamplePlan]:
    """Return the plans with the friends of their files; whoever reads them says what is bad."""
    return [_told(plan, looks) for plan, looks in zip(plans, _looks_at(plans), strict=True)]


def _looks_at(plans: Sequence[SamplePlan]) -> list[Looks]:
    files = [(plan, path) for plan in plans for path in plan.files]
    looks: list[Look | InputError] = []
    begun, told = time.monotonic(), 0
    with (
        ThreadPoolExecutor(LOOKS_AT_ONCE) as threads,
        progress("preprocess", len(files), "files") as advance,
    ):
        for (_, path), look in zip(files, threads.map(_look_or_fault, files), strict=True):
            looks.append(look)
            if time.monotonic() - begun > QUICK_SECONDS:
                advance(len(looks) - told, path.name)
                told = len(looks)
    found = iter(looks)
    return [{path: next(found) for path in plan.files} for plan in plans]


def _refusal(faults: Sequence[InputError], files: int) -> InputError:
    if len(faults) == 1:
        return faults[0]
    named = "; ".join(map(str, faults[:NAMED]))
    more = f"; and {len(faults) - NAMED} more" if len(faults) > NAMED else ""
    return InputError(
        f"{len(faults)} of {files} files cannot be read (data.bad_files=skip leaves them out): "
        f"{named}{more}"
    )


def _of_sound_files(plan: SamplePlan, looks: Looks) -> SamplePlan:
    """Return the plan of the files that are not bad, of which one has the tree."""
    faults = {path: look for path, look in looks.items() if isinstance(look, InputError)}
    sound = [path for path in looks if path not in faults]
    told = _told(plan, looks)
    if looks and told.without_tree.issuperset(sound):
        whole = [look.without_tree for look in looks.values() if isinstance(look, Look)]
        first = next(filter(None, [*whole, *map(str, faults.values())]))
        others = len(looks) - 1
        rest = "one other file" if others == 1 else f"{others} other files"
        more = f"; nor can the {rest} of sample {plan.name} be read" if others else ""
        raise InputError(f"{first}{more}")
    if faults and plan.counts_all_files:
        raise InputError(
            f"sample {plan.name}: of its {len(looks)} files {len(faults)} would be left out "
            f"({next(iter(faults.values()))}), but its weights are scaled by what is said of all: "
            "name the other files alone, and the sum of weights of these"
        )
    skipped = tuple(
        SkippedFile(path=str(path), reason=str(fault).removeprefix(f"{path}: "))
        for path, fault in faults.items()
    )
    return told._replace(files=sound, skipped=skipped)


def _told(plan: SamplePlan, looks: Looks) -> SamplePlan:
    sound = {path: look for path, look in looks.items() if isinstance(look, Look)}
    return plan._replace(
        without_tree=frozenset(path for path, look in sound.items() if look.without_tree),
        friends={path: look.friends for path, look in sound.items() if look.friends},
    )


def _look_or_fault(file: tuple[SamplePlan, Place]) -> Look | InputError:
    plan, path = file
    key: tuple[Any, ...]
    try:
        asked = plan.reader.branch_map.model_dump(mode="json", exclude_defaults=True)
        key = (*name_and_status(path), digest_of(asked))
    except OSError:
        key = ()  # whoever opens it says what is wrong
    except InputError as error:
        return error
    if key in _LOOKS:
        return _LOOKS[key]
    try:
        look = _look(plan, path)
    except InputError as error:
        return error
    if key:
        _LOOKS[key] = look
    return look


def _look(plan: SamplePlan, path: Place) -> Look:
    branch_map = plan.reader.branch_map
    try:
        needed = set(branch_map.branches()).difference(branch_map.may_be_lacking())
        look = Look()
        if not glance(path, branch_map.tree, needed):
            with open_table(path, branch_map.tree) as table:
                there = table.names()
                if there or table.entries:
                    table.require(branch_map.as_in(there).branches())
                nothing = None if there else f"{path}: {table.called} has no branches"
                look = Look(nothing, table.friends)
    except NoTreeError as error:
        if not _has_no_events(plan, path, error):
            raise
        look = Look(str(error))
    plan.reader.expectation(path, Expectation())
    return look


def _has_no_events(plan: SamplePlan, path: Place, error: NoTreeError) -> bool:
    """Return whether a whole file without the tree is one of a job that selected no event."""
    where = plan.reader.whole.sum_of_weights
    if not isinstance(where, BesideEvents):
        return error.has_objects and not error.has_trees
    try:
        return sum_of_weights(path, where) != 0
    except InputError:
        return False
