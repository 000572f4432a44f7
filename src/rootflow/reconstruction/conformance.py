"""Does a method keep the Reconstructor contract? For one's own classes, too."""

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.reconstruction.answers import check_answers, require
from rootflow.reconstruction.contract import Reconstruction, Reconstructor

# What a sum in another order may change in float32.
TOLERANCE = 1e-4


def check(reconstructor: Reconstructor, events: Events) -> None:
    """Check that a method keeps the contract of `rootflow.reconstruction.contract`.

    Parameters
    ----------
    reconstructor
        The method.
    events
        Events that it may be applied to: some tens or hundreds, of which at least one
        has all its jet slots filled.

    Raises
    ------
    ConformanceError
        It does not keep the contract.
    ValueError
        The events are too few to tell.
    """
    full = np.all(events.jet_mask, axis=1)
    if len(events) < 2 or not np.any(full):
        raise ValueError(
            "the conformance check needs two or more events, one of them with "
            f"{events.jet_mask.shape[1]} jets"
        )
    require(
        isinstance(reconstructor.name, str) and reconstructor.name != "",
        "its name is a string that is not empty",
    )
    whole = _reconstruct_unchanged(reconstructor, events)
    check_answers(whole, events)
    require(_same(whole, reconstructor.reconstruct(events)), "the same events get one answer")

    half = np.arange(0, len(events), 2)
    backwards = np.arange(len(events))[::-1]
    for index, rule in (
        (backwards, "an event's answer does not depend on the order of the events"),
        (half, "an event's answer does not depend on the other events"),
        (np.arange(1), "an event alone gets the answer that it gets among others"),
    ):
        part = reconstructor.reconstruct(events.take(index))
        require(_same(whole.take(index), part), rule)

    for special in (events.take(slice(0, 0)), events.take(full), with_two_jets(events)):
        check_answers(_reconstruct_unchanged(reconstructor, special), special)


def with_two_jets(events: Events) -> Events:
    """Return the events with the two leading jets only, in as many slots as before."""
    arrays = events.arrays()
    mask = events.jet_mask & (np.arange(events.jet_mask.shape[1]) < 2)
    arrays |= {"jet_mask": mask, "jets": np.where(mask[..., np.newaxis], events.jets, 0)}
    if events.assignment is not None:
        arrays["assignment"] = np.where(events.assignment < 2, events.assignment, -1)
    return Events(features=events.features, **arrays)


def _reconstruct_unchanged(reconstructor: Reconstructor, events: Events) -> Reconstruction:
    before = {name: array.copy() for name, array in events.arrays().items()}
    answers = reconstructor.reconstruct(events)
    for name, array in events.arrays().items():
        unchanged = before[name].tobytes() == array.tobytes()
        require(unchanged, f"events.{name} is not changed")
    return answers


def _same(first: Reconstruction, second: Reconstruction) -> bool:
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
