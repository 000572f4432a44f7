"""Applying a model as jobs: each takes some of the files, or of their pieces, by their bytes."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rootflow.errors import UsageError
from rootflow.inference.application import Setting, load_application
from rootflow.inference.files import apply_to_files, unanswered
from rootflow.inference.pieces import Piece, Scoring
from rootflow.inference.plan import WRITTEN, Copying
from rootflow.places import Place, Remote, place_of
from rootflow.places.access import name_and_status
from rootflow.workers import shares_of

SCORE, WRITE = "rootflow.inference.jobs:score", "rootflow.inference.jobs:write"


class Asked(NamedTuple):
    """What is asked of `apply_to_files`, by its names."""

    setting: Setting
    paths: Sequence[Place]
    output: Place
    origin: Mapping[str, Any]
    copying: Copying


def calls(asked: Asked, bytes_per_job: float) -> list[tuple[str, dict[str, Any]]]:
    """Return the function that each of some jobs calls, and what it is given by name.

    Where each file has an output of its own, a job writes those of some files; else it scores some
    pieces of what becomes one output. What is wrong with the files or with what is asked of them is
    raised as `apply_to_files` does it.
    """
    if asked.output.suffix not in WRITTEN:
        paths = [path for output in unanswered(*asked) for path in output.pieces]
        groups = shares_of(paths, list(map(_bytes_of, paths)), bytes_per_job)
        return [(WRITE, writing(asked, group)) for group in groups]
    return [
        (SCORE, scoring(asked.setting, pieces, Path.cwd()))
        for pieces in pieces_of(asked, bytes_per_job)
    ]


def pieces_of(asked: Asked, bytes_per_job: float) -> list[list[Piece]]:
    """Return the pieces that are not scored yet, in shares of jobs."""
    outputs = unanswered(*asked)
    pieces: list[Piece] = []
    sizes: list[float] = []
    for output in outputs:
        for path, of_path in output.pieces.items():
            per_entry = _bytes_of(path) / max([piece.stop for piece in of_path], default=1)
            missing = [piece for piece in of_path if not piece.is_done]
            pieces += missing
            sizes += [per_entry * (piece.stop - piece.start) for piece in missing]
    return shares_of(pieces, sizes, bytes_per_job)


def scoring(setting: Setting, pieces: Sequence[Piece], start: Path) -> dict[str, Any]:
    """Return what `score` is given, as plain data, to score pieces from a folder."""
    return {
        "start": str(start),
        "setting": {**setting._asdict(), "models": list(map(str, setting.models))},
        "pieces": [
            [_text(piece.path), piece.start, piece.stop, str(piece.kept_in)] for piece in pieces
        ],
    }


def writing(asked: Asked, paths: Sequence[Place], workers: int = 1) -> dict[str, Any]:
    """Return what `write` is given, as plain data, to write the outputs of these files."""
    return {
        "start": str(Path.cwd()),
        "setting": {
            **asked.setting._asdict(),
            "models": [str(path.absolute()) for path in asked.setting.models],
        },
        "paths": list(map(_text, paths)),
        "output": _text(asked.output),
        "origin": dict(asked.origin),
        "copying": asked.copying._asdict(),
        "workers": workers,
    }


def score(start: str, setting: dict[str, Any], pieces: list[Any]) -> None:
    """Keep the new branches of pieces of files where whoever writes their output looks for them."""
    os.chdir(start)
    with Scoring(load_application(_setting(setting))) as scoring:
        for text, first, stop, kept_in in pieces:
            piece = Piece(place_of(text, "apply"), first, stop, Path(kept_in))
            if not piece.is_done:
                scoring.score(piece)


def write(
    start: str,
    setting: dict[str, Any],
    paths: list[str],
    output: str,
    origin: dict[str, Any],
    copying: dict[str, Any],
    workers: int,
) -> dict[str, Any]:
    """Write the outputs of files, and return what `apply_to_files` tells of them as plain data."""
    os.chdir(start)
    applied = apply_to_files(
        _setting(setting),
        [place_of(path, "apply") for path in paths],
        place_of(output, "apply"),
        origin=origin,
        copying=Copying(**copying),
        workers=workers,
    )
    return {**applied._asdict(), "outputs": [str(path) for path in applied.outputs]}


def _bytes_of(path: Place) -> int:
    return name_and_status(path)[1].bytes


def _setting(plain: Mapping[str, Any]) -> Setting:
    return Setting(**{**plain, "models": tuple(map(Path, plain["models"]))})


def _text(path: Place) -> str:
    if not isinstance(path, Remote):
        return str(path)
    if path.query:
        raise UsageError(f"{path}: its URL has a query, maybe a secret: no job is told of it")
    return path.url
