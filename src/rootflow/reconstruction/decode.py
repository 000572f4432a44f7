"""From what a network says to a reconstruction."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.errors import InputError
from rootflow.reconstruction.contract import NetworkOutputs, Reconstruction


def decode(outputs: NetworkOutputs, jet_mask: NDArray[np.bool_]) -> Reconstruction:
    """Return the most probable assignment of each event, and its neutrinos.

    Parameters
    ----------
    outputs
        Of a network; without a confidence the probability of the pair is the score.
    jet_mask
        (n, J), True where there is a jet. Only ordered pairs of different existing jets
        are answers; an event with fewer than two jets is not solved.

    Raises
    ------
    InputError
        The network's output is not finite.
    """
    assignment, neutrinos, confidence = outputs
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
    allowed = jet_mask[:, :, np.newaxis] & jet_mask[:, np.newaxis, :] & ~np.eye(slots, dtype=bool)
    flat = np.where(allowed, assignment, -1.0).reshape(events, slots * slots)
    best = np.argmax(flat, axis=1)
    solved = np.any(allowed, axis=(1, 2))
    score = np.take_along_axis(flat, best[:, np.newaxis], axis=1)[:, 0]
    if confidence is not None:
        score = confidence
    pair = np.stack(np.divmod(best, slots), axis=1)
    return Reconstruction(
        assignment=np.where(solved[:, np.newaxis], pair, -1).astype(np.int32),
        neutrinos=np.where(solved[:, np.newaxis, np.newaxis], neutrinos, np.nan).astype(np.float32),
        scores=np.where(solved, score, np.nan).astype(np.float32),
        solved=solved,
    )


def joined(parts: Sequence[NetworkOutputs]) -> NetworkOutputs:
    """Return what was said of parts of some events as of all, with a confidence where all have."""
    assignment, neutrinos, confidence = zip(*parts, strict=True)
    known = [values for values in confidence if values is not None]
    return NetworkOutputs(
        np.concatenate(assignment),
        np.concatenate(neutrinos),
        np.concatenate(known) if len(known) == len(parts) else None,
    )
