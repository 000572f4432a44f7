"""The decision on a candidate: what it fell short of, and the tags that say so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from rootflow.config.evaluation import ClassifierPromotionConfig, ReconstructionPromotionConfig
from rootflow.estimate import PValue
from rootflow.steps.result import Row
from rootflow.tracking.registry import Version

if TYPE_CHECKING:  # `registry list` and `rollback` ask for names only
    from rootflow.estimate import Estimate
    from rootflow.evaluation.paired import Contest

PREFIX = "rootflow.promotion."
DECISION = f"{PREFIX}decision"
PROMOTED, REFUSED, ROLLED_BACK = "promoted", "refused", "rolled back"
NONE = "none"
CANDIDATE, CHAMPION = "candidate", "champion"  # aliases
# On a version: what the evaluation before its registration found, `.value` and `.error`.
METRIC = "rootflow.metric"
TAG_LENGTH = 5000  # of a run; versions take more

Rules = ReconstructionPromotionConfig | ClassifierPromotionConfig


class Decision(NamedTuple):
    """A decision with all it rests on.

    The champion is as it was before; reasons are why the candidate is refused, none where it is
    promoted. There is no contest where the two could not be compared; `dataset` is the digest of
    what they were compared on, the run that of the promotion.
    """

    candidate: Version
    champion: Version | None
    reasons: tuple[str, ...]
    contest: Contest | None
    dataset: str
    rules: Rules
    run_id: str

    @property
    def word(self) -> str:
        """Promoted or refused."""
        return REFUSED if self.reasons else PROMOTED


def shortfalls(contest: Contest, champion: Version | None, rules: Rules) -> list[str]:
    """Return what a candidate fell short of in a contest."""
    if champion is None or contest.gain is None or contest.p_value is None:
        return []
    found = []
    # What is not a number fulfils nothing.
    if not contest.gain.value >= rules.least_gain:
        found.append(
            f"gain: {_text(contest.gain)} in {contest.metric} over {champion.uri}, "
            f"promotion.least_gain asks for {rules.least_gain:g}"
        )
    if not contest.p_value <= rules.p_value_max:
        found.append(
            f"p-value: {PValue(contest.p_value, contest.replicas)} of the gain being no larger "
            f"than {rules.least_gain:g}, promotion.p_value_max allows {rules.p_value_max:g}"
        )
    for each in contest.bins:
        bins = len(contest.bins)
        p_value = PValue(min(each.p_value * bins, 1.0), contest.replicas, times=bins)
        if not p_value >= rules.regression_p_value:
            found.append(
                f"regression: {contest.metric} changes by {_text(each.gain)} where "
                f"{each.quantity} is from {each.low:g} to {each.high:g}, p-value of "
                f"being no worse {p_value} (of {bins} bins)"
            )
    return found


def tags_of(decision: Decision) -> dict[str, str]:
    """Return the tags of the candidate's version."""
    contest = decision.contest
    tags = {
        DECISION: decision.word,
        "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        "reasons": "; ".join(decision.reasons) or NONE,
        "champion": decision.champion.version if decision.champion else NONE,
        "dataset": decision.dataset,
        "metric": decision.rules.metric,
        "least_gain": str(decision.rules.least_gain),
        "p_value_max": str(decision.rules.p_value_max),
        "regression_p_value": str(decision.rules.regression_p_value),
        "run": decision.run_id,
    }
    if contest is not None:
        tags |= {name: str(value) for name, value in numbers_of(contest).items()}
        tags["bins"] = json.dumps(rows_of(contest))
    return {PREFIX + name.removeprefix(PREFIX): value for name, value in tags.items()}


def tags_of_run(tags: Mapping[str, str]) -> dict[str, str]:
    """Return of the tags of a version those that a run can have."""
    return {name: value[:TAG_LENGTH] for name, value in tags.items() if name != f"{PREFIX}bins"}


def numbers_of(contest: Contest) -> dict[str, float]:
    """Return the numbers of a contest by name; those that do not exist are left out."""
    p_value = contest.p_value
    return {
        **_columns("value", contest.candidate),
        **_columns("champion_value", contest.champion),
        **_columns("gain", contest.gain),
        **({} if p_value is None else {"p_value": PValue(p_value, contest.replicas)}),
        "compared_events": contest.events,
        "replicas": contest.replicas,
        "seed": contest.seed,
    }


def rows_of(contest: Contest) -> list[Row]:
    """Return one row for each named bin."""
    return [
        {
            "quantity": each.quantity,
            "from": each.low,
            "to": each.high,
            **_columns("candidate", each.candidate),
            **_columns("champion", each.champion),
            **_columns("gain", each.gain),
            "p_no_worse": PValue(each.p_value, contest.replicas),
        }
        for each in contest.bins
    ]


def _columns(name: str, estimate: Estimate | None) -> dict[str, float]:
    return {} if estimate is None else {name: estimate.value, f"{name}_error": estimate.error}


def _text(estimate: Estimate) -> str:
    return f"{estimate.value:+.4f} ± {estimate.error:.4f}"
