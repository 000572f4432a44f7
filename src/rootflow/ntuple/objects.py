"""Jets or leptons of many events, one after the other, and their padding."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Objects(NamedTuple):
    """Jets or leptons of n events as one table.

    Attributes
    ----------
    event
        (objects,) the event that each belongs to, 0 to n - 1.
    features
        (objects, features) float32; pt and eta are the first two.
    n_events
        How many events there are, those without objects too.
    """

    event: NDArray[np.int64]
    features: NDArray[np.float32]
    n_events: int

    @property
    def pt(self) -> NDArray[np.float32]:
        """(objects,) transverse momenta, GeV."""
        return self.features[:, 0]

    @property
    def eta(self) -> NDArray[np.float32]:
        """(objects,) pseudorapidities."""
        return self.features[:, 1]

    def counts(self) -> NDArray[np.int64]:
        """Return (n,) how many objects each event has."""
        return np.bincount(self.event, minlength=self.n_events)

    def take(self, index: NDArray[np.int64]) -> "Objects":
        """Return some of the objects, of the same events."""
        return Objects(self.event[index], self.features.take(index, axis=0), self.n_events)


def accepted_in_pt_order(objects: Objects, pt_min: float, abs_eta_max: float) -> NDArray[np.int64]:
    """Return the objects that pass the cuts, event by event and falling in pT.

    Objects of equal pT stay in the order of the ntuple.
    """
    passes = (objects.pt >= pt_min) & (np.abs(objects.eta) <= abs_eta_max)
    index = np.flatnonzero(passes)
    # The bits of positive floats are ordered as the floats are: one key for both.
    hardness = objects.pt[index].view(np.uint32)
    key = (objects.event[index].astype(np.uint64) << np.uint64(32)) | ~hardness
    if np.all(key[1:] >= key[:-1]):
        return index
    return index[np.argsort(key, kind="stable")]


def slots(objects: Objects) -> NDArray[np.int64]:
    """Return the place of each object in its event; they must be event by event."""
    counts = objects.counts()
    first = np.cumsum(counts) - counts
    return np.arange(len(objects.event)) - first[objects.event]


def padded(
    objects: Objects, slot: NDArray[np.int64], events: NDArray[np.int64], places: int
) -> NDArray[np.float32]:
    """Return (events, places, features): the first objects of some events, then zeros.

    Parameters
    ----------
    slot
        The place of each object in its event.
    events
        Which events, rising.
    """
    row_of_event = np.full(objects.n_events, -1)
    row_of_event[events] = np.arange(len(events))
    row = row_of_event[objects.event]
    fits = (row >= 0) & (slot < places)
    place, features = row * places + slot, objects.features
    if not fits.all():
        place, features = place[fits], features[fits]
    table = np.zeros((len(events) * places, features.shape[1]), dtype=np.float32)
    # All features of an object in one go, which is faster than one number after another.
    whole_row = np.dtype((np.void, features.shape[1] * features.itemsize))
    table.view(whole_row)[place] = np.ascontiguousarray(features).view(whole_row)
    return table.reshape(len(events), places, features.shape[1])
