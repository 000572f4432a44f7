"""Does a method keep the contract? For one's own classes, too."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.dataset.folds import EVENTS_AT_ONCE
from rootflow.errors import ConformanceError, InputError
from rootflow.methods.contract import Method, Reconstruction, Scores
from rootflow.methods.model import Model

# What a sum in another order may change, relatively and in float32.
TOLERANCE, OF_SCORES = 1e-4, 1e-5


def check_method(method: Method[Any], events: Events, seen: Events | None = None) -> None:
    """Check that a method keeps the contract of `rootflow.methods.contract`.

    Parameters
    ----------
    method
        One of reconstruction or of classification.
    events
        Events that it may be applied to: two at least, best some tens or hundreds, of which
        some have all jet slots filled.
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
    require(
        isinstance(method.name, str) and method.name != "",
        "its name is a string that is not empty",
    )
    whole = _answer_unchanged(method, events)
    check_answers(whole, events)
    require(_same(whole, method.answer(events)), "the same events get one answer")
    every = np.arange(len(events))
    parts = [
        (every[::-1], "an event's answer does not depend on the order of the events"),
        (every[::2], "an event's answer does not depend on the other events"),
        (every[:1], "an event alone gets the answer that it gets among others"),
        (every[-1:], "an event alone gets the answer that it gets among others"),
    ]
    # Not of solvers, which have no batches and are slow.
    if isinstance(method, Model) or not isinstance(whole, Reconstruction):
        batch = np.resize(every, EVENTS_AT_ONCE + 1)
        parts += [
            (batch[:-1], "a whole batch gets the same answers"),
            (batch, "a batch and an event more get the same answers"),
        ]
    for index, rule in parts:
        part = method.answer(events.take(index))
        require(_same(_take(whole, index), part), rule)
    hidden = replace(
        events,
        weight=np.zeros_like(events.weight),
        label=None if events.label is None else np.full_like(events.label, -1),
        sample=None if events.sample is None else np.zeros_like(events.sample),
    )
    require(
        _same(whole, _answer_unchanged(method, hidden)),
        "an answer does not depend on weight, label or sample",
    )
    none = events.take(slice(0, 0))
    check_answers(_answer_unchanged(method, none), none)
    if isinstance(whole, Reconstruction):
        for special in (events.take(np.all(events.jet_mask, axis=1)), with_two_jets(events)):
            check_answers(_answer_unchanged(method, special), special)
    if seen is not None:
        require(_refuses(method, seen), "events that it was trained on are refused")


def with_two_jets(events: Events) -> Events:
    """Return the events with the two leading jets only, in as many slots as before."""
    arrays = events.arrays()
    mask = events.jet_mask & (np.arange(events.jet_mask.shape[1]) < 2)
    arrays |= {"jet_mask": mask, "jets": np.where(mask[..., np.newaxis], events.jets, 0)}
    if events.assignment is not None:
        arrays["assignment"] = np.where(events.assignment < 2, events.assignment, -1)
    return Events(features=events.features, **arrays)


def _answer_unchanged(method: Method[Any], events: Events) -> Any:
    before = {name: array.copy() for name, array in events.arrays().items()}
    answers = method.answer(events)
    for name, array in events.arrays().items():
        unchanged = before[name].tobytes() == array.tobytes()
        require(unchanged, f"events.{name} is not changed")
    return answers


def _take(answers: Any, index: NDArray[np.int64]) -> Any:
    return answers.take(index) if isinstance(answers, Reconstruction) else answers[index]


def _same(first: Any, second: Any) -> bool:
    if not isinstance(first, Reconstruction):
        return np.shape(first) == np.shape(second) and np.allclose(
            first, second, rtol=0, atol=OF_SCORES
        )
    if first.neutrinos is None or second.neutrinos is None:
        neutrinos_agree = first.neutrinos is second.neutrinos
    else:
        neutrinos_agree = _close(first.neutrinos, second.neutrinos)
    return (
        neutrinos_agree
        and np.array_equal(first.assignment, second.assignment)
        and np.array_equal(first.solved, second.solved)
        and _close(first.scores, second.scores)
    )


def _close(first: NDArray[np.float32], second: NDArray[np.float32]) -> bool:
    return first.shape == second.shape and np.allclose(
        first, second, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True
    )


def _refuses(method: Method[Any], events: Events) -> bool:
    try:
        method.answer(events)
    except InputError:
        return True
    return False


def require(kept: bool | np.bool_, rule: str) -> None:
    """Raise a ConformanceError unless the method keeps the rule."""
    if not kept:
        raise ConformanceError(f"this method does not keep the contract: {rule}")


def check_answers(answers: Any, events: Events) -> None:
    """Check shapes, types and values of what a method said of `events`."""
    if isinstance(answers, Reconstruction):
        _check_reconstruction(answers, events)
    else:
        _check_scores(answers, len(events))


def _check_scores(said: Scores, count: int) -> None:
    classes = np.shape(said)[1:2] if np.ndim(said) == 2 and np.shape(said)[1] > 1 else ()
    _check_array("scores", said, (count, *classes), np.float64)
    require(np.all(np.isfinite(said)), "scores are finite")
    require(np.all((said >= 0) & (said <= 1)), "scores are from 0 to 1")


def _check_reconstruction(answers: Reconstruction, events: Events) -> None:
    count = len(events)
    _check_array("assignment", answers.assignment, (count, 2), np.int32)
    _check_array("scores", answers.scores, (count,), np.float32)
    _check_array("solved", answers.solved, (count,), np.bool_)
    solved = answers.solved
    pair = answers.assignment[solved]
    require(
        np.all((pair >= 0) & (pair < events.jet_mask.shape[1])),
        "the assignment of a solved event is two slots",
    )
    require(
        np.all(np.take_along_axis(events.jet_mask[solved], pair.astype(np.int64), axis=1)),
        "the assignment of a solved event is of jets that exist",
    )
    require(np.all(pair[:, 0] != pair[:, 1]), "b and bbar get different jets")
    require(
        np.all(answers.assignment[~solved] == -1),
        "the assignment of an event that is not solved is -1, -1",
    )
    _check_finite("scores", answers.scores, solved)
    if answers.neutrinos is not None:
        _check_array("neutrinos", answers.neutrinos, (count, 2, 3), np.float32)
        for component in answers.neutrinos.reshape(count, 6).T:
            _check_finite("neutrinos", component, solved)


def _check_array(
    name: str, array: NDArray[np.generic], shape: tuple[int, ...], dtype: type[np.generic]
) -> None:
    require(isinstance(array, np.ndarray), f"{name}: a numpy array, not {type(array).__name__}")
    require(array.shape == shape, f"{name}: of the shape {shape}, not {array.shape}")
    require(array.dtype == dtype, f"{name}: {np.dtype(dtype)}, not {array.dtype}")


def _check_finite(name: str, values: NDArray[np.float32], solved: NDArray[np.bool_]) -> None:
    require(np.all(np.isfinite(values[solved])), f"{name} of a solved event are finite")
    require(np.all(np.isnan(values[~solved])), f"{name} of an unsolved event are NaN")
