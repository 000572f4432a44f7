"""The files of an exported model, wherever it is: on disk, in the registry, or a run's."""

import hashlib
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rootflow.errors import InputError, UsageError
from rootflow.exported.folds import TABLE, model_files
from rootflow.formats import find_files
from rootflow.places import Place

if TYPE_CHECKING:
    from rootflow.tracking.artifacts import LoggedRun

REGISTERED = "models:"
RUN_ID = re.compile(r"[0-9a-f]{32}")
EXPORT = "export"


class ExportedFiles(NamedTuple):
    """The ONNX files of a model, and what is noted of them.

    `origin` is the `uri`, models:/NAME/VERSION, where it is registered, else the `run` that it is
    of or its `file`; and `sha256`. Each is a list where there are several files.
    """

    paths: list[Path]
    origin: dict[str, Any]


def find(models: Sequence[str], folder: Path, setting: str) -> ExportedFiles:
    """Return the files of a model; those that are fetched go to `folder`.

    It is named by a file of `rootflow export`, a folder with its folds.json, models:/NAME/VERSION,
    models:/NAME@ALIAS or the id of a run; or by several, one for each fold. `setting` says in
    messages where it is named.
    """
    paths: list[Path] = []
    uris: list[str] = []
    runs: list[str] = []
    for place, model in enumerate(models):
        if model.startswith(REGISTERED):
            # Here, and not above: MLflow takes seconds, and files need none.
            from rootflow.tracking.registry import fetch_onnx_model

            path, version = fetch_onnx_model(model, _new(folder / str(place)))
            paths.append(path)
            uris.append(version.uri)
        elif RUN_ID.fullmatch(model) and not Path(model).exists():
            paths.append(of_run(model, _new(folder / str(place))))
            runs.append(model)
        else:
            paths += _paths(model, setting)
    files = model_files(paths)
    origin: dict[str, Any] = {"uri": one_or_all(uris)} if uris else {}
    if runs:
        origin["run"] = one_or_all(runs)
    if len(uris) + len(runs) < len(models):
        origin["file"] = one_or_all([str(path.resolve()) for path in paths])
    origin["sha256"] = one_or_all([_sha256(path) for path in files])
    return ExportedFiles(files, origin)


def of_run(run_id: str, folder: Path) -> Path:
    """Fetch what a run has exported: the file for Python, or the folder of those of all folds.

    For a run of another step it is the last export below it, else that of its training.
    """
    from rootflow.exported.checking import check_content
    from rootflow.tracking import artifact_of
    from rootflow.tracking.artifacts import artifacts_in, logged_run

    run = logged_run(run_id)
    exported = _export_of(run)
    if exported is None:
        raise UsageError(
            f"run {run.run_id}: nothing was exported of it: "
            f"rootflow export --model {run.run_id}, or name a run of export"
        )
    logged = artifacts_in(exported.run_id, EXPORT)
    files = [
        artifact_of(exported.run_id, name, folder)
        for name in logged
        if name.endswith(".onnx") or name == f"{EXPORT}/{TABLE}"
    ]
    for file in files:
        if file.name == TABLE:
            return file.parent
    for file in files:
        contract = check_content(file.read_bytes(), str(file))
        if (contract.variant, contract.precision) == ("named", "float32"):
            return file
    raise UsageError(f"run {exported.run_id} has no ONNX file of a named variant")


def _export_of(run: "LoggedRun") -> "LoggedRun | None":
    from rootflow.steps.train import TAG
    from rootflow.tracking.artifacts import last_run
    from rootflow.tracking.run import PARENT, STEP

    if run.tags.get(STEP) == EXPORT:
        return run
    below = last_run(run.experiment_id, {PARENT: run.run_id, STEP: EXPORT})
    if below is not None or TAG not in run.tags:
        return below
    return last_run(run.experiment_id, {STEP: EXPORT, TAG: run.tags[TAG]})


def paths_of(text: str) -> list[str]:
    """Return a path that is there as it is, else the words of several."""
    return [text] if Path(text).exists() else words_of(text)


def words_of(text: str) -> list[str]:
    """Return the words that are quoted as one: `mlflow run` makes one of all."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{text!r}: {error}") from None


def one_or_all(values: Sequence[str]) -> str | list[str]:
    """Return the only one of the values, or all."""
    return values[0] if len(values) == 1 else list(values)


def _paths(model: str, setting: str) -> list[Path]:
    paths: list[Path] = []
    for word in paths_of(model):
        path = Path(word).expanduser()
        paths += [path] if path.exists() else _local(find_files([word], setting=setting), setting)
    return [path.parent if path.name == TABLE else path for path in paths]


def _local(places: Sequence[Place], setting: str) -> Iterator[Path]:
    for place in places:
        if not isinstance(place, Path):
            raise UsageError(f"{setting}: {place}: a model is a file of this machine: download it")
        yield place


def _new(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _sha256(path: Path) -> str:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
