"""What is in the registry."""

from typing import Any

from rootflow.steps.registry.decision import DECISION, METRIC, PREFIX
from rootflow.steps.result import Row, StepResult
from rootflow.tracking.registry import Version, contract_of, version_of, versions


def run(name: str | None = None) -> StepResult:
    """List the versions of a registered model, or of all."""
    return StepResult("list", "", {}, {"models": [_row(each) for each in versions(name)]})


def show(uri: str) -> StepResult:
    """Tell of one version: its card, tags and contract."""
    found = version_of(uri)
    contract = contract_of(found) or {}
    facts = {**_row(found), "run_of_export": found.run_id, "card": found.description}
    tags = [{"tag": tag, "value": value} for tag, value in sorted(found.tags.items())]
    tables = {"tags": tags, **{kind: _tensors(contract, kind) for kind in ("inputs", "outputs")}}
    plain = {name: value for name, value in contract.items() if name not in tables}
    return StepResult("show", "", {**facts, "contract": plain}, tables)


def _row(found: Version) -> Row:
    tags = found.tags
    decided = f"{PREFIX}value" in tags
    metric, value, error = (
        (f"{PREFIX}metric", f"{PREFIX}value", f"{PREFIX}value_error")
        if decided
        else (METRIC, f"{METRIC}.value", f"{METRIC}.error")
    )
    return {
        "name": found.name,
        "version": int(found.version),
        "aliases": ", ".join(found.aliases),
        "registered": found.registered.strftime("%Y-%m-%d %H:%M"),
        "model": tags.get("rootflow.model"),
        "metric": tags.get(metric) if value in tags else None,
        "value": _number(tags.get(value)),
        "value_error": _number(tags.get(error)),
        "gain": _number(tags.get(f"{PREFIX}gain")),
        "gain_error": _number(tags.get(f"{PREFIX}gain_error")),
        "decision": tags.get(DECISION),
    }


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _tensors(contract: dict[str, Any], kind: str) -> list[Row]:
    return [
        {
            "name": tensor["name"],
            "type": tensor["type"],
            "shape": ", ".join(map(str, tensor["shape"])),
            "features": ", ".join(
                f"{feature['name']} ({feature['unit']})" for feature in tensor["features"]
            ),
            "meaning": tensor["meaning"],
        }
        for tensor in contract.get(kind, ())
    ]
