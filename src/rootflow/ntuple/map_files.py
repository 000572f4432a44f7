"""Branch maps as files: shipped ones by name, others by path."""

import difflib
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from rootflow.config.block import Block
from rootflow.config.load import one_line_of
from rootflow.config.yaml_text import parse_yaml, read_yaml
from rootflow.errors import UsageError

Map = TypeVar("Map", bound=Block)


def load_map(kind: type[Map], folder: str, name: str) -> Map:
    """Return the branch map of that name, or in that YAML file.

    A map's key `base` may name a shipped one, whose entries hold where it is silent.

    Parameters
    ----------
    kind
        What it must be.
    folder
        Of `maps`, where those for the same events are.

    Raises
    ------
    UsageError
        There is no such map, or it says something that cannot be.
    """
    try:
        return kind.model_validate(_entries(folder, name))
    except ValidationError as error:
        faults = (
            f"{'.'.join(map(str, fault['loc'])) or 'the map'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise UsageError(f"branch map {name}: {one_line_of(faults)}") from None


def _entries(folder: str, name: str) -> Any:
    """Return what a map says, and its base where it is silent."""
    is_file = name.endswith((".yaml", ".yml"))
    entries = read_yaml(Path(name), "branch map") if is_file else _shipped(folder, name)
    if not isinstance(entries, dict) or "base" not in entries:
        return entries
    base = _shipped(folder, str(entries.pop("base")))
    return {**base, **entries}


def _shipped(folder: str, name: str) -> Any:
    shipped = {
        Path(entry.name).stem: entry
        for entry in (resources.files(__package__) / "maps" / folder).iterdir()
        if entry.name.endswith(".yaml")
    }
    if name not in shipped:
        near = difflib.get_close_matches(name, shipped, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise UsageError(
            f"data.branch_map: no map '{name}'{hint}; shipped maps: "
            f"{', '.join(sorted(shipped))}; your own: the path of a .yaml file"
        )
    return parse_yaml(shipped[name].read_text(encoding="utf-8"), f"branch map {name}")
