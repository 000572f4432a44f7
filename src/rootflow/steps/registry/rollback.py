"""The champion before becomes the champion again."""

from datetime import UTC, datetime

from rootflow.errors import RootflowError
from rootflow.steps.registry.decision import CHAMPION, DECISION, PREFIX, ROLLED_BACK
from rootflow.steps.result import StepResult
from rootflow.tracking import (
    champions_of,
    describe,
    remember_champions,
    version_of,
    version_with,
)


def run(name: str) -> StepResult:
    """Give the alias champion of a registered model back to the version that had it before."""
    champion = version_with(name, CHAMPION)
    champions = champions_of(name)
    if champion is None:
        raise RootflowError(f"registry rollback: {name} has no champion")
    if champions[-1:] != [champion.version]:
        raise RootflowError(
            f"registry rollback: {champion.uri} was made the champion by hand: nothing says what "
            "was it before"
        )
    if len(champions) < 2:
        raise RootflowError(f"registry rollback: before {champion.uri} there was no champion")
    before = version_of(f"models:/{name}/{champions[-2]}")
    describe(before.uri, {}, alias=CHAMPION)
    remember_champions(name, champions[:-1])
    at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    describe(champion.uri, {DECISION: ROLLED_BACK, f"{PREFIX}rolled_back_at": at})
    return StepResult("rollback", "", {"champion": before.uri, "rolled_back": champion.uri})
