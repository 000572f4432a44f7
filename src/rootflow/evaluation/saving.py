"""Evaluations as JSON, and back."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from rootflow.errors import InputError
from rootflow.files import whole_file

Results = TypeVar("Results")


def write_json(results: Any, path: Path) -> None:
    """Write named tuples of plain data as JSON; there is no NaN in it."""
    with whole_file(path) as partial:
        partial.write_text(json.dumps(_plain(results), indent=1, allow_nan=False) + "\n")


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
        return adapter.validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot read the evaluation: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise InputError(f"{path}: not an evaluation: {where}: {first['msg']}") from None


def _plain(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return {key: _plain(item) for key, item in value._asdict().items()}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
