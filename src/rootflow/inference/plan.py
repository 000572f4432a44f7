"""What is to be written: refused here, before any work, where it cannot be."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rootflow.config.block import digest_of
from rootflow.errors import InputError, UsageError
from rootflow.formats import open_table
from rootflow.formats.writing import Branches, branches_of, refuse_beside_sources
from rootflow.inference.application import Application, Setting
from rootflow.inference.pieces import Piece, ranges_of
from rootflow.places import Place
from rootflow.places.access import name_and_status
from rootflow.places.content import adler32_of
from rootflow.sources import code_digest

ROOT_FILE = ".root"


class Copying(NamedTuple):
    """What of the inputs is copied: branches by names or globs, all where none is kept.

    `selected_only`: only entries that the model's selection keeps.
    """

    kept: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    selected_only: bool = False


class OutputFile(NamedTuple):
    """A file to be written: its entries by the input that has them, and what is copied of them.

    The question is a digest of all that decides what it holds.
    """

    path: Path
    pieces: Mapping[Place, Sequence[Piece]]
    branches: Branches
    question: str


def plan(
    application: Application,
    setting: Setting,
    paths: Sequence[Place],
    output: Path,
    copying: Copying,
    model: Any,
) -> tuple[list[OutputFile], Path]:
    """Return all files to be written, and the folder beside them for unfinished work.

    `model` are plain data that tell the model from others.
    """
    if len({path.resolve() if isinstance(path, Path) else path for path in paths}) < len(paths):
        raise UsageError("apply: a file is named twice: its events would be there twice")
    inputs_of = _inputs_of(paths, output)
    for path in paths:
        for target in inputs_of:
            if isinstance(path, Path) and _are_one(path, target):
                raise UsageError(f"{target}: is read and cannot be written, too: name another")
    refuse_beside_sources(paths)
    found, ranges, names = {}, {}, {}
    for path in paths:
        with open_table(path, application.tree) as tree:
            found[path] = branches_of(tree, copying.kept, copying.dropped)
            ranges[path] = ranges_of(tree)
        name, status = name_and_status(path)
        # Of a file whose server does not say when it was changed, the content does.
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
        "copying": copying._asdict(),
    }
    questions = {
        target: digest_of({**asked, "inputs": [names[path] for path in inputs]})
        for target, inputs in inputs_of.items()
    }
    whole = digest_of(list(questions.values()))
    folder = (
        output.with_name(f".{output.name}.apply-{whole}")
        if output.suffix == ROOT_FILE
        else output / f".apply-{whole}"
    )
    pieces = {
        path: [
            Piece(path, start, stop, folder / f"{names[path]}-{start}-{stop}.npz")
            for start, stop in ranges[path]
        ]
        for path in paths
    }
    outputs = [
        OutputFile(
            target, {path: pieces[path] for path in inputs}, found[inputs[0]], questions[target]
        )
        for target, inputs in inputs_of.items()
    ]
    return outputs, folder


def _are_one(path: Path, target: Path) -> bool:
    return target.exists() and path.exists() and target.samefile(path)


def _inputs_of(paths: Sequence[Place], output: Path) -> dict[Path, tuple[Place, ...]]:
    """Return the inputs of each file to be written."""
    if output.suffix == ROOT_FILE:
        if output.is_dir():
            raise UsageError(f"{output}: is a folder; name a file, or a folder without .root")
        return {output: tuple(paths)}
    if output.is_file():
        raise UsageError(f"{output}: is a file; name a folder, or a file that ends in {ROOT_FILE}")
    inputs: dict[Path, tuple[Place, ...]] = {output / path.name: (path,) for path in paths}
    if len(inputs) < len(paths):
        raise UsageError(
            f"{output}: several of the files have the same name: write each to a folder of its own"
        )
    return inputs


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
