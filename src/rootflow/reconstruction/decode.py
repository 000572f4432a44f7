"""From what a network says to a reconstruction."""

import numpy as np
from numpy.typing import NDArray

from rootflow.errors import InputError
from rootflow.reconstruction.contract import Reconstruction


def decode(
    assignment: NDArray[np.float32],
    neutrinos: NDArray[np.float32] | None,
    jet_mask: NDArray[np.bool_],
    confidence: NDArray[np.float32] | None = None,
) -> Reconstruction:
    """Return the most probable assignment of each event, and its neutrinos.

    Parameters
    ----------
    assignment
        (n, J, J), the joint probability that slot i is the jet of b and slot j that of bbar.
    neutrinos
        (n, 2, 3) in GeV, None where the network gives none.
    jet_mask
        (n, J), True where there is a jet. Only ordered pairs of different existing jets
        are answers; an event with fewer than two jets is not solved.
    confidence
        (n,), the network's own score; None where the probability of the pair is the score.

    Raises
    ------
    InputError
        The network's output is not finite.
    """
    broken = ~np.all(np.isfinite(assignment), axis=(1, 2))
    if neutrinos is not None:
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
        neutrinos=None
        if neutrinos is None
        else np.where(solved[:, np.newaxis, np.newaxis], neutrinos, np.nan).astype(np.float32),
        scores=np.where(solved, score, np.nan).astype(np.float32),
        solved=solved,
    )
