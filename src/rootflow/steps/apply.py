"""Applying an exported model to files of events."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rootflow.cores import usable_cores
from rootflow.exported.contract import OtherCode
from rootflow.formats.writing import Format
from rootflow.inference.application import SeenEvents, Setting
from rootflow.inference.files import COUNTS, Applied, apply_to_files
from rootflow.inference.plan import Copying
from rootflow.places import Place
from rootflow.progress import say
from rootflow.steps.exported_files import find, one_or_all
from rootflow.steps.result import StepResult


def run(
    model: str | Sequence[str],
    paths: Sequence[Place],
    output: Place,
    *,
    branch_map: str | None = None,
    name: str | None = None,
    seen_events: SeenEvents = "refuse",
    other_code: OtherCode = "refuse",
    kept: Sequence[str] = (),
    dropped: Sequence[str] = (),
    selected_only: bool = False,
    friend: bool = False,
    file_format: Format | None = None,
    workers: int | None = None,
) -> StepResult:
    """Write what the files hold and the model's answers to a new file, or to one for each.

    `model` is as in `exported_files.find`; the others are as in `apply_to_files`, `Setting` and
    `Copying` of `rootflow.inference`. No `workers`: one for each core.
    """
    named = [model] if isinstance(model, str) else model
    with tempfile.TemporaryDirectory() as folder:
        files, origin = find(named, Path(folder), "apply --model")
        applied = apply_to_files(
            Setting(tuple(files), branch_map, name, seen_events, other_code),
            paths,
            output,
            origin=origin,
            copying=Copying(tuple(kept), tuple(dropped), selected_only, friend, file_format),
            workers=workers or usable_cores(),
        )
    return told(model, output, origin, applied)


def told(
    model: str | Sequence[str], output: Place, origin: Mapping[str, Any], applied: Applied
) -> StepResult:
    """Return what was written as the result of the step."""
    facts: dict[str, Any] = {
        "output": str(output),
        "files": len(applied.outputs),
        **{name: getattr(applied, name) for name in COUNTS},
        "branches": list(applied.branches),
        "model": model if isinstance(model, str) else one_or_all(model),
        **origin,
    }
    if applied.other_code:
        say(f"apply: {applied.other_code}")
        facts["other_code"] = applied.other_code
    return StepResult("apply", applied.run_id, facts)
