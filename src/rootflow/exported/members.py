"""The files of one model, opened and checked against each other."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rootflow.errors import InputError, UsageError
from rootflow.exported.checking import refuse_other_outputs
from rootflow.exported.contract import OnnxContract
from rootflow.exported.folds import model_files
from rootflow.exported.session import open_exported

# What the files of one model must agree in.
COMMON = (
    "analysis", "model", "code", "order", "inputs", "outputs", "uses", "branch_map", "selection",
    "folds",
)  # fmt: skip


class Member(NamedTuple):
    """A file; `fold` is the one that its model has not seen, None where it has all models."""

    path: Path
    session: Any
    contract: OnnxContract
    fold: int | None


def open_members(paths: Sequence[Path], threads: int) -> list[Member]:
    """Return the files of a model, each of another fold; `threads` are of one operation."""
    members = [_opened(path, threads) for path in model_files(paths)]
    if paths[0].is_dir():
        _refuse_other_folds(paths[0], members)
    for member in members[1:]:
        _refuse_other_model(members[0], member)
    if len({member.fold for member in members}) < len(members):
        raise UsageError(
            f"{members[0].contract.model}: two of the files are of the same fold: "
            f"{', '.join(member.path.name for member in members)}"
        )
    return members


def _opened(path: Path, threads: int) -> Member:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    session, contract = open_exported(path, threads)
    if contract.variant != "named":
        raise InputError(
            f"{path}: the {contract.variant} variant is for the ntuple production; give the named "
            f"one, which has no _{contract.variant} in its name"
        )
    refuse_other_outputs(contract, path)
    return Member(path, session, contract, contract.held_out)


def _refuse_other_folds(folder: Path, members: Sequence[Member]) -> None:
    """Refuse a folder whose files are not, in their order, of the folds that there are."""
    for fold, member in enumerate(members):
        count = member.contract.folds.count
        if (member.fold, count) != (fold, len(members)):
            there = "all folds" if member.fold is None else f"fold {member.fold}"
            raise InputError(
                f"{folder}: says that {member.path.name} is of fold {fold} of {len(members)}, "
                f"and the file says that it is of {there} of {count}"
            )


def _refuse_other_model(first: Member, other: Member) -> None:
    for member in (first, other):
        if member.fold is None:
            raise UsageError(f"{member.path}: has the models of all folds: name it alone")
    ours, theirs = first.contract, other.contract
    differing = [name for name in COMMON if getattr(ours, name) != getattr(theirs, name)]
    if differing:
        raise InputError(
            f"{other.path}: not of the same model as {first.path}: other {', '.join(differing)}"
        )
