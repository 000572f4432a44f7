"""What an analysis adds to reading."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import ClassVar, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from rootflow.config.data import DataConfig, ReadingConfig
from rootflow.errors import UsageError
from rootflow.ntuple import BranchMap, Chunk, Feature, features_of
from rootflow.ntuple.objects import Chosen, Places, chosen_in_pt_order
from rootflow.ntuple.reading import CHUNK_BYTES

Scalar = TypeVar("Scalar", bound=np.generic)
Cuts = dict[str, NDArray[np.bool_]]
"""The events that pass each cut, by the name that the cutflow shows."""


class Accepted(NamedTuple):
    """The objects of a chunk that count, falling in pT, and the cuts (n,) on its events.

    `slots` (n, slots) are where in the chunk's table those of collections of a fixed number are,
    -1 of none; `computed` (n,) are features of the event by name, of those that pass.
    """

    objects: dict[str, Chosen]
    slots: dict[str, Places]
    cuts: Cuts
    computed: Mapping[str, NDArray[np.float64]]


def scattered(
    values: NDArray[Scalar], places: Places | NDArray[np.bool_], count: int
) -> NDArray[Scalar]:
    """Return (count,) the values at their places, and zero elsewhere."""
    found = np.zeros(count, dtype=values.dtype)
    found[places] = values
    return found


class Reading(ReadingConfig, ABC):
    """What an analysis adds to reading: which objects it keeps, its cuts, what it computes.

    Its fields are the settings of the block `data` that decide how events are read and selected;
    `met` says whether the missing momentum is kept, where the map names it, and `truth` whether
    what the generator says of neutrinos, tops and jets is read.
    """

    met: ClassVar[bool] = True
    truth: ClassVar[bool] = False
    chunk_bytes: ClassVar[int] = CHUNK_BYTES

    @property
    def kind(self) -> str:
        """Where its class is, as MODULE:NAME."""
        return f"{type(self).__module__}:{type(self).__qualname__}"

    @classmethod
    def of(cls, data: DataConfig) -> Self:
        """Return the reading that a configuration asks for."""
        return cls.model_validate(data.model_dump(mode="json", include=set(cls.model_fields)))

    @abstractmethod
    def kept(self) -> Mapping[str, int]:
        """Return how many objects of each collection are kept of an event."""

    @abstractmethod
    def accept(self, chunk: Chunk) -> Accepted:
        """Return the objects that count, the cuts on events, and what is computed of them."""

    def event_features(self, branch_map: BranchMap) -> tuple[Feature, ...]:
        """Return the features of the event before derived ones, in the order of the array."""
        return features_of(branch_map)["event"]

    def needs(self, branch_map: BranchMap, name: str) -> Collection[str]:
        """Return what it reads of a map beside features: triggers, COLLECTION.QUANTITY.

        A map, of this name, that lacks what the reading needs is a UsageError.
        """
        for collection in self.kept():
            if collection not in branch_map.objects():
                raise UsageError(f"data: the branch map {name} names no {collection}")
        return ()

    def accepted(
        self, chunk: Chunk, limits: Mapping[str, tuple[float, float]]
    ) -> dict[str, Chosen]:
        """Return the objects that count of every collection.

        `limits` are smallest pT in GeV and largest |eta|, beside those of the configuration.
        """
        chosen = {}
        for name, objects in chunk.objects.items():
            pt_min, abs_eta_max = limits.get(name, (0.0, np.inf))
            given = self.objects.get(name)
            if given is not None:
                pt_min = max(pt_min, given.pt_min_gev)
                abs_eta_max = min(abs_eta_max, given.abs_eta_max or np.inf)
            chosen[name] = chosen_in_pt_order(objects, pt_min, abs_eta_max)
        return chosen


class Collections(Reading):
    """The leading objects of some collections, with masks, and MET where the map names it."""

    slots: dict[str, int]

    def kept(self) -> Mapping[str, int]:
        """Return the slots of each collection."""
        return self.slots

    def accept(self, chunk: Chunk) -> Accepted:
        """Return the objects that count; all events pass."""
        cuts = {"all events": np.ones(len(chunk), dtype=np.bool_)}
        return Accepted(self.accepted(chunk, {}), {}, cuts, {})
