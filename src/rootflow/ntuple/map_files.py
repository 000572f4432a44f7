"""Branch maps as files: shipped ones by name, others by path."""

import difflib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rootflow.config.load import one_line_of, parse_yaml, read_yaml
from rootflow.errors import UsageError
from rootflow.ntuple.branch_map import BranchMap


def load_branch_map(named: str | dict[str, Any]) -> BranchMap:
    """Return the branch map of that name, in that YAML file, or that says this.

    A map's key `base` may name a shipped one, whose entries hold where it is silent.

    Raises
    ------
    UsageError
        There is no such map, or it says something that cannot be.
    """
    entries = entries_of(named)
    try:
        return BranchMap.model_validate(entries)
    except ValidationError as error:
        faults = (f"{_path(fault['loc'], entries)}: {fault['msg']}" for fault in error.errors())
        name = named if isinstance(named, str) else "given"
        raise UsageError(f"branch map {name}: {one_line_of(faults)}") from None


def entries_of(named: str | dict[str, Any]) -> Any:
    """Return what a map says, and its base where it is silent, as written.

    Raises
    ------
    UsageError
        There is no such map.
    """
    entries: Any = named
    if isinstance(named, str):
        is_file = named.endswith((".yaml", ".yml"))
        entries = read_yaml(Path(named), "branch map") if is_file else _shipped(named)
    while isinstance(entries, dict) and "base" in entries:
        own = {key: value for key, value in entries.items() if key != "base"}
        entries = _shipped(str(entries["base"])) | own
    return entries


def fold_number_fault(given: str, own: str | dict[str, Any]) -> str | None:
    """Return why events are in other folds by the given map than by a model's own, if they are."""
    theirs, ours = (load_branch_map(named).fold_number is not None for named in (own, given))
    what = "names a fold_number" if theirs else "names no fold_number"
    fault = (
        f"that of the model's training {what}, this one differs, so that events would be in other "
        "folds: say there what decides them"
    )
    return fault if theirs != ours else None


def _path(steps: Sequence[str | int], entries: Any) -> str:
    """Return where something stands, as the map is written: a lone block is no list there."""
    path = []
    for step in steps:
        is_written = not (isinstance(step, int) and isinstance(entries, dict))
        if is_written and " " not in str(step):  # else it says which of several kinds was meant
            path.append(str(step))
            entries = entries.get(step) if isinstance(entries, dict) else None
    return ".".join(path) or "the map"


def _shipped(name: str) -> Any:
    shipped = {
        Path(entry.name).stem: entry
        for entry in (resources.files(__package__) / "maps").iterdir()
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
