"""What is to be written: refused here, before any work, where it cannot be."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rootflow.config.block import digest_of
from rootflow.errors import InputError, UsageError
from rootflow.files import cache
from rootflow.formats import Table
from rootflow.formats.branches import Branches, branches_of
from rootflow.formats.lineage import refuse_beside_sources
from rootflow.formats.opening import SUFFIXES as READ
from rootflow.formats.writing import SUFFIXES, Format
from rootflow.inference.application import Application, Setting
from rootflow.inference.pieces import Piece, ranges_of
from rootflow.places import Place
from rootflow.places.access import name_and_status
from rootflow.places.content import adler32_of
from rootflow.sources import code_digest

WRITTEN = tuple(dict.fromkeys(SUFFIXES.values()))


class Copying(NamedTuple):
    """What of the inputs is copied: branches by names or globs, all where none is kept.

    `selected_only`: only entries that the model's selection keeps. A friend has the entries of one
    input, one to one, and of its branches those that say which event it is. No format: that of the
    output's name, and a TTree where that says none.
    """

    kept: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    selected_only: bool = False
    friend: bool = False
    file_format: Format | None = None


class OutputFile(NamedTuple):
    """A file to be written: its entries by the input that has them, and what is copied of them.

    The question is a digest of all that decides what it holds.
    """

    path: Place
    file_format: Format
    pieces: Mapping[Place, Sequence[Piece]]
    branches: Branches
    question: str


def plan(
    application: Application,
    setting: Setting,
    paths: Sequence[Place],
    output: Place,
    copying: Copying,
    model: Any,
) -> tuple[list[OutputFile], Path]:
    """Return all files to be written, and the folder beside them for unfinished work.

    `model` are plain data that tell the model from others.
    """
    if len({path.resolve() if isinstance(path, Path) else path for path in paths}) < len(paths):
        raise UsageError("apply: a file is named twice: its events would be there twice")
    _refuse_more_than_a_friend(copying)
    file_format = _format_of(output, copying.file_format)
    inputs_of = _inputs_of(paths, output, SUFFIXES[file_format])
    if copying.friend and any(len(inputs) > 1 for inputs in inputs_of.values()):
        raise UsageError(f"{output}: each file has a friend of its own: name a folder for them")
    for path in paths:
        for target in inputs_of:
            if _are_one(path, target):
                raise UsageError(f"{target}: is read and cannot be written, too: name another")
    refuse_beside_sources(paths)
    found, ranges, names = {}, {}, {}
    for path in paths:
        with application.open(path) as tree:
            found[path] = _branches(application, tree, copying, file_format)
            ranges[path] = ranges_of(tree)
        name, status = name_and_status(path)
        # Where a server does not say when a file was changed, the content does.
        names[path] = digest_of([name, status.bytes, status.changed or adler32_of(path)])
    for inputs in inputs_of.values():
        _refuse_different({path: found[path] for path in inputs})
    _refuse_there_already(found, application.branches)
    asked = {
        "code": code_digest(application.model.contract.analysis, "application"),
        "model": model,
        "branches": application.branches,
        "reading": application.reading,
        "seen_events": setting.seen_events,
        "other_code": application.model.other_code,
        "copying": copying._replace(file_format=file_format)._asdict(),
    }
    questions = {
        target: digest_of({**asked, "inputs": [names[path] for path in inputs]})
        for target, inputs in inputs_of.items()
    }
    whole = digest_of(list(questions.values()))
    folder = _unfinished(output, whole)
    pieces = {
        path: [
            Piece(path, start, stop, folder / f"{names[path]}-{start}-{stop}.npz")
            for start, stop in ranges[path]
        ]
        for path in paths
    }
    outputs = [
        OutputFile(
            target,
            file_format,
            {path: pieces[path] for path in inputs},
            found[inputs[0]],
            questions[target],
        )
        for target, inputs in inputs_of.items()
    ]
    return outputs, folder


def _unfinished(output: Place, name: str) -> Path:
    """Return where work that is not finished is kept."""
    if not isinstance(output, Path):
        return cache() / f"apply-{name}"
    if output.suffix in WRITTEN:
        return output.with_name(f".{output.name}.apply-{name}")
    return output / f".apply-{name}"


def _are_one(path: Place, target: Place) -> bool:
    if isinstance(path, Path) and isinstance(target, Path):
        return target.exists() and path.exists() and target.samefile(path)
    return path == target


def _refuse_more_than_a_friend(copying: Copying) -> None:
    """Refuse what a friend cannot have: entries one to one with the input's, and no branches."""
    for option, given in (
        ("--selected-only", copying.selected_only),
        ("--keep", copying.kept),
        ("--drop", copying.dropped),
    ):
        if copying.friend and given:
            raise UsageError(
                f"--friend has all entries of its input, and only new branches: leave {option} out"
            )


def _format_of(output: Place, asked: Format | None) -> Format:
    if output.suffix not in WRITTEN:
        if output.name.lower().endswith(READ):
            raise UsageError(
                f"{output}: files that end so are read and not written: name a file that ends in "
                f"{' or '.join(WRITTEN)}, or a folder"
            )
        return asked or "ttree"
    fitting = [name for name, suffix in SUFFIXES.items() if suffix == output.suffix]
    if asked is not None and asked not in fitting:
        raise UsageError(
            f"--format {asked}: {output} ends in {output.suffix}; such a file ends in "
            f"{SUFFIXES[asked]}"
        )
    return asked or fitting[0]


def _branches(
    application: Application, table: Table, copying: Copying, file_format: Format
) -> Branches:
    if copying.friend:
        branches = branches_of(table, application.identity(table), file_format=file_format)
        return branches._replace(tree=application.prefix)
    return branches_of(table, copying.kept or None, copying.dropped, file_format)


def _inputs_of(
    paths: Sequence[Place], output: Place, suffix: str
) -> dict[Place, tuple[Place, ...]]:
    """Return the inputs of each file to be written, of which those in a folder end so."""
    if output.suffix in WRITTEN:
        if isinstance(output, Path) and output.is_dir():
            raise UsageError(
                f"{output}: is a folder; name a file, or a folder without {output.suffix}"
            )
        return {output: tuple(paths)}
    if isinstance(output, Path) and output.is_file():
        raise UsageError(
            f"{output}: is a file; name a folder, or a file that ends in {' or '.join(WRITTEN)}"
        )
    inputs: dict[Place, tuple[Place, ...]] = {
        output / f"{_bare(path.name)}{suffix}": (path,) for path in paths
    }
    if len(inputs) < len(paths):
        raise UsageError(
            f"{output}: several of the files have the same name: write each to a folder of its own"
        )
    return inputs


def _bare(name: str) -> str:
    """Return the name of a file without what says its format."""
    end = next((each for each in READ if name.lower().endswith(each)), "")
    return name[: len(name) - len(end)]


def _refuse_different(found: Mapping[Place, Branches]) -> None:
    first_path, first = next(iter(found.items()))
    for path, branches in found.items():
        if branches != first:
            names = sorted(set(branches.names()) ^ set(first.names()))
            what = f"not both have {', '.join(names)}" if names else "types or tree differ"
            raise InputError(f"{path}: other branches than in {first_path}: {what}")


def _refuse_there_already(found: Mapping[Place, Branches], new: Sequence[str]) -> None:
    for path, branches in found.items():
        there = sorted({*branches.names(), *branches.lists} & set(new))
        if there:
            raise UsageError(
                f"{path}: has a branch {there[0]} already: name the new ones with --name, or "
                f"leave it out with --drop {there[0]}"
            )
