"""What a step tells the user."""

from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class StepResult:
    """The outcome of a step: single facts, tables of rows with the same columns, metrics."""

    step: str
    run_id: str
    facts: dict[str, Any]
    tables: dict[str, list[Row]] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the result as plain data."""
        return {
            "step": self.step,
            "run_id": self.run_id,
            **self.facts,
            **self.tables,
            "metrics": self.metrics,
        }
