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
        return Objects(self.event[index], self.features[index], self.n_events)


def accepted_in_pt_order(objects: Objects, pt_min: float, abs_eta_max: float) -> NDArray[np.int64]:
    """Return the objects that pass the cuts, event by event and falling in pT.

    Objects of equal pT stay in the order of the ntuple.
    """
    passes = (objects.pt >= pt_min) & (np.abs(objects.eta) <= abs_eta_max)
    index = np.flatnonzero(passes)
    event, pt = objects.event[index], objects.pt[index]
    next_event = event[1:] > event[:-1]
    same_event_falling = (event[1:] == event[:-1]) & (pt[1:] <= pt[:-1])
    if np.all(next_event | same_event_falling):
        return index
    return index[np.lexsort((-pt, event))]


def slots(objects: Objects) -> NDArray[np.int64]:
    """Return the place of each object in its event; they must be event by event."""
    counts = objects.counts()
    first = np.cumsum(counts) - counts
    return np.arange(len(objects.event)) - first[objects.event]


def padded(objects: Objects, places: int) -> NDArray[np.float32]:
    """Return (n, places, features): the first objects of each event, then zeros."""
    slot = slots(objects)
    kept = slot < places
    array = np.zeros((objects.n_events, places, objects.features.shape[1]), dtype=np.float32)
    array[objects.event[kept], slot[kept]] = objects.features[kept]
    return array
