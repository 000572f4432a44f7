"""What a method said of some events, checked against the contract."""

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.errors import ConformanceError
from rootflow.reconstruction.contract import Reconstruction


def require(kept: bool, rule: str) -> None:
    """Raise a ConformanceError unless the method keeps the rule."""
    if not kept:
        raise ConformanceError(f"this method does not keep the contract: {rule}")


def check_answers(answers: Reconstruction, events: Events) -> None:
    """Check shapes, types and values of what a method said of `events`.

    Raises
    ------
    ConformanceError
        They are not what the contract says.
    """
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
    require(isinstance(array, np.ndarray), f"{name} is a numpy array, not {type(array).__name__}")
    require(array.shape == shape, f"{name} has the shape {shape}, not {array.shape}")
    require(array.dtype == dtype, f"{name} is {np.dtype(dtype)}, not {array.dtype}")


def _check_finite(name: str, values: NDArray[np.float32], solved: NDArray[np.bool_]) -> None:
    require(bool(np.all(np.isfinite(values[solved]))), f"{name} of a solved event are finite")
    require(bool(np.all(np.isnan(values[~solved]))), f"{name} of an unsolved event are NaN")
