"""Applying an exported model to ROOT files."""

import hashlib
import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rootflow.cores import usable_cores
from rootflow.errors import InputError, UsageError
from rootflow.exported.table import model_files
from rootflow.inference import Copying, SeenEvents, Setting, apply_to_files
from rootflow.ntuple import find_files
from rootflow.steps.result import StepResult

REGISTERED = "models:"


def run(
    model: str | Sequence[str],
    paths: Sequence[Path],
    output: Path,
    *,
    branch_map: str | None = None,
    name: str | None = None,
    seen_events: SeenEvents = "refuse",
    kept: Sequence[str] = (),
    dropped: Sequence[str] = (),
    selected_only: bool = False,
    workers: int | None = None,
) -> StepResult:
    """Write what the files hold and the model's answers to a new file, or to one for each.

    Parameters
    ----------
    model
        A file of `rootflow export`, a folder with its folds.json, models:/NAME/VERSION or
        models:/NAME@ALIAS; or several, one for each fold.
    paths, output
        As in `rootflow.inference.apply_to_files`.
    branch_map, name, seen_events
        As in `rootflow.inference.Setting`.
    kept, dropped, selected_only
        As in `rootflow.inference.Copying`.
    workers
        How many processes there are at most; none: one for each core.

    Raises
    ------
    UsageError
        There is no such model, an output is one of the inputs, or a new branch is there
        already.
    InputError
        A file cannot be read, the model's is not one of `rootflow export`, or it was trained
        on some of the events.
    """
    named = [model] if isinstance(model, str) else model
    with tempfile.TemporaryDirectory() as folder:
        files, origin = _found(named, Path(folder))
        applied = apply_to_files(
            Setting(tuple(files), branch_map, name, seen_events),
            paths,
            output,
            origin=origin,
            copying=Copying(tuple(kept), tuple(dropped), selected_only),
            workers=workers or usable_cores(),
        )
    facts: dict[str, Any] = {
        "output": str(output),
        "files": len(applied.outputs),
        "entries": applied.entries,
        "selected": applied.selected,
        "scored": applied.scored,
        "written": applied.written,
        "branches": list(applied.branches),
        "model": _one_or_all(named),
        **origin,
    }
    return StepResult("apply", applied.run_id, facts)


def _found(models: Sequence[str], folder: Path) -> tuple[list[Path], dict[str, Any]]:
    """Return the ONNX files of a model, and what is noted of them."""
    paths: list[Path] = []
    uris: list[str] = []
    for place, model in enumerate(models):
        if model.startswith(REGISTERED):
            # Here, and not above: MLflow takes seconds, and files need none.
            from rootflow.tracking import fetch_onnx_model

            place_of_model = folder / str(place)
            place_of_model.mkdir()
            fetched = fetch_onnx_model(model, place_of_model)
            paths.append(fetched.path)
            uris.append(f"models:/{fetched.name}/{fetched.version}")
        else:
            paths += _paths(model)
    files = model_files(paths)
    origin: dict[str, Any] = {"uri": _one_or_all(uris)} if uris else {}
    if len(uris) < len(models):
        origin["file"] = _one_or_all([str(path.resolve()) for path in paths])
    origin["sha256"] = _one_or_all([_sha256(path) for path in files])
    return files, origin


def paths_of(text: str) -> list[str]:
    """Return a path that is there as it is, else the words of several; raises as `words_of`."""
    return [text] if Path(text).exists() else words_of(text)


def words_of(text: str) -> list[str]:
    """Return the words that are quoted as one: `mlflow run` makes one of all.

    Raises
    ------
    UsageError
        The words' quotes are not in pairs.
    """
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{text!r}: {error}") from None


def _paths(model: str) -> list[Path]:
    paths: list[Path] = []
    for word in paths_of(model):
        path = Path(word).expanduser()
        paths += [path] if path.exists() else find_files([word], setting="apply --model")
    return paths


def _sha256(path: Path) -> str:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _one_or_all(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
