"""Does a scorer keep the contract? For one's own classes, too."""

from dataclasses import replace

import numpy as np

from rootflow.dataset.events import Events
from rootflow.dataset.seen import EVENTS_AT_ONCE
from rootflow.errors import ConformanceError, InputError
from rootflow.scoring.contract import Scorer, Scores

# What a sum in another order may change in float32.
TOLERANCE = 1e-5


def check_scorer(scorer: Scorer, events: Events, seen: Events | None = None) -> None:
    """Check that a scorer keeps the contract of `rootflow.scoring.contract`.

    Parameters
    ----------
    scorer
        The scorer.
    events
        Events that it may be applied to: two at least, best some tens or hundreds.
    seen
        Events that it was trained on, which it must refuse; none: that is not checked.

    Raises
    ------
    ConformanceError
        It does not keep the contract.
    ValueError
        The events are too few to tell.
    """
    if len(events) < 2:
        raise ValueError("the conformance check needs two or more events")
    name = scorer.name
    _require(isinstance(name, str) and name != "", "its name is a string that is not empty")
    whole = _scores(scorer, events)
    _require(np.array_equal(whole, _scores(scorer, events)), "the same events get one answer")
    count = len(events)
    for index, rule in (
        (np.arange(count)[::-1], "a score does not depend on the order of the events"),
        (np.arange(0, count, 2), "a score does not depend on the other events"),
        (np.arange(count - 1, count), "an event alone gets the score that it gets among others"),
        (np.arange(0), "no events get no scores"),
        (np.resize(np.arange(count), EVENTS_AT_ONCE), "a whole batch gets the same scores"),
        (np.resize(np.arange(count), EVENTS_AT_ONCE + 1), "a batch and an event more, too"),
    ):
        said = _scores(scorer, events.take(index))
        _require(np.allclose(said, whole[index], rtol=0, atol=TOLERANCE), rule)
    hidden = replace(
        events,
        weight=np.zeros_like(events.weight),
        label=None if events.label is None else np.full_like(events.label, -1),
        sample=None if events.sample is None else np.zeros_like(events.sample),
    )
    _require(
        np.allclose(_scores(scorer, hidden), whole, rtol=0, atol=TOLERANCE),
        "a score does not depend on weight, label or sample",
    )
    if seen is not None:
        _require(_refuses(scorer, seen), "events that it was trained on are refused")


def _scores(scorer: Scorer, events: Events) -> Scores:
    before = {name: array.copy() for name, array in events.arrays().items()}
    said = scorer.score(events)
    for name, array in events.arrays().items():
        _require(np.array_equal(before[name], array), f"events.{name} is not changed")
    _require(isinstance(said, np.ndarray), f"scores are a numpy array, not {type(said).__name__}")
    _require(said.shape == (len(events),), f"scores have the shape ({len(events)},)")
    _require(said.dtype == np.float64, f"scores are float64, not {said.dtype}")
    _require(bool(np.all(np.isfinite(said))), "scores are finite")
    _require(bool(np.all((said >= 0) & (said <= 1))), "scores are from 0 to 1")
    return said


def _refuses(scorer: Scorer, events: Events) -> bool:
    try:
        scorer.score(events)
    except InputError:
        return True
    return False


def _require(kept: bool, rule: str) -> None:
    if not kept:
        raise ConformanceError(f"this scorer does not keep the contract: {rule}")
