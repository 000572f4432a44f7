"""From what models say to answers, and whether answers are what the contract says."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events, pairs_of_jets
from rootflow.errors import ConformanceError, InputError
from rootflow.methods.contract import Outputs, Reconstruction, Scores


def decode(outputs: Outputs, jet_mask: NDArray[np.bool_] | None) -> Any:
    """Return what outputs mean: a `Reconstruction`, or `Scores`.

    `jet_mask` (n, J) is True where there is a jet; None where events have none.
    """
    if "assignment" in outputs and jet_mask is not None:
        return reconstruction(outputs, jet_mask)
    return scores(outputs)


def reconstruction(outputs: Outputs, jet_mask: NDArray[np.bool_]) -> Reconstruction:
    """Return the most probable assignment of each event, and its neutrinos.

    Only ordered pairs of different existing jets, by `jet_mask` (n, J), are answers; an event
    with fewer than two jets is not solved. Without a confidence the probability of the pair is
    the score. Output that is not finite is an InputError.
    """
    assignment, neutrinos = outputs["assignment"], outputs["neutrinos"]
    confidence = outputs.get("confidence")
    broken = ~np.all(np.isfinite(assignment), axis=(1, 2))
    broken |= ~np.all(np.isfinite(neutrinos), axis=(1, 2))
    if confidence is not None:
        broken |= ~np.isfinite(confidence)
    if np.any(broken):
        raise InputError(
            f"the network's output is not finite in {np.sum(broken)} of {len(broken)} events: "
            "its weights or these inputs are not finite"
        )
    events, slots = jet_mask.shape
    allowed = pairs_of_jets(jet_mask)
    flat = np.where(allowed, assignment, -1.0).reshape(events, slots * slots)
    best = np.argmax(flat, axis=1)
    solved = np.any(allowed, axis=(1, 2))
    score = np.take_along_axis(flat, best[:, np.newaxis], axis=1)[:, 0]
    if confidence is not None:
        score = confidence
    pair = np.stack(np.divmod(best, slots), axis=1)
    return Reconstruction.where(solved, pair, neutrinos, score)


def scores(outputs: Outputs) -> Scores:
    """Return the probability of signal (n,), or of each of several classes (n, classes)."""
    if "probabilities" in outputs:
        return np.asarray(outputs["probabilities"], np.float64)
    return np.asarray(outputs["score"][:, 0], np.float64)


def over(combine: Callable[..., NDArray[Any]], parts: Sequence[Outputs]) -> Outputs:
    """Return the outputs that all parts have, combined over them: `np.concatenate`, `np.mean`."""
    names = [name for name in parts[0] if all(name in part for part in parts)]
    return {name: combine([part[name] for part in parts], axis=0) for name in names}


def require(kept: bool, rule: str) -> None:
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
    require(bool(np.all(np.isfinite(said))), "scores are finite")
    require(bool(np.all((said >= 0) & (said <= 1))), "scores are from 0 to 1")


def _check_reconstruction(answers: Reconstruction, events: Events) -> None:
    count = len(events)
    _check_array("assignment", answers.assignment, (count, 2), np.int32)
    _check_array("scores", answers.scores, (count,), np.float32)
    _check_array("solved", answers.solved, (count,), np.bool_)
    solved = answers.solved
    pair = answers.assignment[solved]
    require(
        bool(np.all((pair >= 0) & (pair < events.jet_mask.shape[1]))),
        "the assignment of a solved event is two slots",
    )
    require(
        bool(np.all(np.take_along_axis(events.jet_mask[solved], pair.astype(np.int64), axis=1))),
        "the assignment of a solved event is of jets that exist",
    )
    require(bool(np.all(pair[:, 0] != pair[:, 1])), "b and bbar get different jets")
    require(
        bool(np.all(answers.assignment[~solved] == -1)),
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
    require(bool(np.all(np.isfinite(values[solved]))), f"{name} of a solved event are finite")
    require(bool(np.all(np.isnan(values[~solved]))), f"{name} of an unsolved event are NaN")
