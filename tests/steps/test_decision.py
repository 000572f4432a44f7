"""The decision on a candidate where something of the contest is not a number."""

from datetime import UTC, datetime

import numpy as np
import pytest

from rootflow.config.evaluation import ReconstructionPromotionConfig
from rootflow.errors import InputError, UsageError
from rootflow.estimate import Estimate
from rootflow.evaluation.bootstrap import Replicated, better_p_value
from rootflow.evaluation.paired import BinContest, Contest, decide
from rootflow.steps.registry.decision import shortfalls
from rootflow.tracking.registry import Version

NAN = float("nan")
CHAMPION = Version("ttbar", "1", "", datetime(2026, 1, 1, tzinfo=UTC), (), {}, "")
BETTER = Estimate(0.1, 0.01)


def _contest(gain: float = 0.1, p_value: float = 0.001, p_no_worse: float = 0.9) -> Contest:
    bins = (BinContest("jets", 1.5, 2.5, BETTER, BETTER, BETTER, p_no_worse),)
    found = Estimate(gain, 0.01)
    return Contest("assignment_accuracy", 9, 9, 1, BETTER, BETTER, found, p_value, bins)


def _fallen_short(contest: Contest, least_gain: float = 0.0) -> list[str]:
    # NaN cannot be configured; the decision does not rely on that.
    rules = ReconstructionPromotionConfig().model_copy(update={"least_gain": least_gain})
    return [reason.partition(":")[0] for reason in shortfalls(contest, CHAMPION, rules)]


def test_what_is_not_a_number_fulfils_no_rule() -> None:
    assert _fallen_short(_contest()) == []
    assert _fallen_short(_contest(gain=NAN)) == ["gain"]
    assert _fallen_short(_contest(p_value=NAN)) == ["p-value"]
    assert _fallen_short(_contest(p_no_worse=NAN)) == ["regression"]
    assert _fallen_short(_contest(), least_gain=NAN) == ["gain"]


def test_a_replica_that_is_not_a_number_is_no_better_one() -> None:
    assert better_p_value(np.array([0.1, 0.2, 0.3])) == 1 / 4
    assert better_p_value(np.array([0.1, NAN, 0.3])) == 2 / 4
    assert better_p_value(np.full(3, NAN)) == 1.0


def _measured(replicas: list[list[float]]) -> Replicated:
    return Replicated(np.array([0.5, 0.5]), np.array(replicas))


def test_a_metric_of_no_replica_decides_nothing() -> None:
    whole = _measured([[0.5, 0.5], [0.6, 0.4]])
    rules = ReconstructionPromotionConfig(no_regression_in={"jets": [1.5, 2.5]})
    for replicas, error, says in (
        ([[0.5, NAN], [0.6, NAN]], UsageError, "does not exist in the bin from 1.5 to 2.5"),
        ([[NAN, 0.5], [NAN, 0.6]], InputError, "does not exist for the events"),
    ):
        for pair in ([_measured(replicas), whole], [whole, _measured(replicas)]):
            with pytest.raises(error, match=says):
                decide(9, pair, rules, 1)
    rules = rules.model_copy(update={"least_gain": NAN})
    assert decide(9, [whole, whole], rules, 1).p_value == 1.0
