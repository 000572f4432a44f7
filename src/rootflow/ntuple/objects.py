"""Objects of many events, one after the other, and which of them have the slots of an event."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]
NONE = -1


class Objects(NamedTuple):
    """Jets, leptons or others of n events as one table, those of events without objects too.

    `event` (objects,) is 0 to n - 1, `features` (objects, features) float32: pt and eta come first.
    """

    event: Places
    features: NDArray[np.float32]
    n_events: int
    names: tuple[str, ...]

    @property
    def pt(self) -> NDArray[np.float32]:
        """(objects,) transverse momenta, GeV."""
        return self.features[:, 0]

    @property
    def eta(self) -> NDArray[np.float32]:
        """(objects,) pseudorapidities."""
        return self.features[:, 1]

    def column(self, name: str) -> NDArray[np.float32]:
        """Return (objects,) one of the features."""
        return self.features[:, self.names.index(name)]

    def counts(self) -> Places:
        """Return (n,) how many objects each event has."""
        return np.bincount(self.event, minlength=self.n_events)

    def first(self) -> Places:
        """Return (n,) where the objects of each event begin; they must be event by event."""
        counts = self.counts()
        return np.cumsum(counts) - counts

    def take(self, index: Places) -> "Objects":
        """Return some of the objects, of the same events."""
        return self._replace(event=self.event[index], features=self.features.take(index, axis=0))

    def slots(self, count: int, events: Places | None = None) -> Places:
        """Return (n, count) where the first objects of each event are, -1 of none."""
        counts, first = self.counts(), self.first()
        if events is not None:
            counts, first = counts[events], first[events]
        slot = np.arange(count)
        return np.where(slot < counts[:, np.newaxis], first[:, np.newaxis] + slot, NONE)

    def rows(self, index: Places) -> NDArray[np.float32]:
        """Return (n, slots, features) of the objects that are there, zeros where -1 is."""
        shape = (*index.shape, self.features.shape[1])
        if not len(self.features):
            return np.zeros(shape, dtype=np.float32)
        flat = index.ravel()
        rows = self.features.take(flat, axis=0, mode="clip")
        rows[flat == NONE] = 0
        return rows.reshape(shape)


def accepted_in_pt_order(objects: Objects, pt_min: float, abs_eta_max: float) -> Places:
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


def singular(collection: str) -> str:
    """Return what one object of a collection is called in names of arrays and columns."""
    return collection.removesuffix("s")


def mask_name(collection: str) -> str:
    """Return the name of the array that says which slots of a collection are filled."""
    return f"{singular(collection)}_mask"
