"""Evaluations as JSON, and back."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from rootflow.checksum import read_sealed, sealed_json
from rootflow.errors import InputError
from rootflow.files import whole_file

EVALUATE_AGAIN = "fetch it anew or evaluate again"
TASKS = ("reconstruction", "classification")
Results = TypeVar("Results")


def write_json(results: Any, path: Path) -> None:
    """Write named tuples of plain data as JSON; there is no NaN in it."""
    with whole_file(path) as partial:
        partial.write_bytes(sealed_json(json.dumps(_plain(results), indent=1, allow_nan=False)))


def read_json(kind: type[Results], path: Path) -> Results:
    """Read what `write_json` wrote.

    Parameters
    ----------
    kind
        The type of the results.
    path
        Of the file.

    Raises
    ------
    InputError
        The file cannot be read or is not such an evaluation.
    """
    adapter = TypeAdapter(kind, config=ConfigDict(arbitrary_types_allowed=True))
    try:
        return adapter.validate_json(read_sealed(path, EVALUATE_AGAIN))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise InputError(f"{path}: not an evaluation: {where}: {first['msg']}") from None


def task_of(path: Path) -> str:
    """Return of which task a written evaluation is: reconstruction or classification.

    Raises
    ------
    InputError
        The file cannot be read or does not say it.
    """
    try:
        found = json.loads(read_sealed(path, EVALUATE_AGAIN))
    except ValueError as error:
        raise InputError(f"{path}: not an evaluation: {error}") from None
    task = found.get("task") if isinstance(found, dict) else None
    if task not in TASKS:
        raise InputError(
            f"{path}: not an evaluation of {' or '.join(TASKS)}, or one of an older version: "
            f"{EVALUATE_AGAIN}"
        )
    return str(task)


def _plain(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return {key: _plain(item) for key, item in value._asdict().items()}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
