"""What an analysis adds to reading."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from rootflow.config.data import DataConfig, ReadingConfig
from rootflow.errors import UsageError
from rootflow.ntuple import BranchMap, Chunk, Feature, features_of
from rootflow.ntuple.objects import Objects, Places, accepted_in_pt_order
from rootflow.ntuple.reading import CHUNK_BYTES

Cuts = dict[str, NDArray[np.bool_]]
"""The events that pass each cut, by the name that the cutflow shows."""


class Accepted(NamedTuple):
    """The objects of a chunk that count, falling in pT, and the cuts (n,) on its events.

    `origin` is where each object is in the chunk's own table; `slots` (n, slots) where in
    `objects` those of collections of a fixed number are, -1 of none.
    """

    objects: dict[str, Objects]
    origin: dict[str, Places]
    slots: dict[str, Places]
    cuts: Cuts


class Reading(ABC):
    """What an analysis adds to reading: which objects it keeps, its cuts, what it computes.

    Attributes
    ----------
    slots
        How many objects of each collection are kept of an event.
    met
        Whether the missing momentum is, where the map names it.
    config
        Objects, cuts and features of the configuration.
    own
        The types of its settings beside these, by the names of attributes and arguments.
    truth
        Whether what the generator says of neutrinos, tops and jets is read.
    """

    own: ClassVar[Mapping[str, Any]]
    truth: ClassVar[bool] = False
    chunk_bytes: ClassVar[int] = CHUNK_BYTES
    slots: Mapping[str, int]
    met: bool
    config: ReadingConfig

    @property
    def kind(self) -> str:
        """Where its class is, as MODULE:NAME."""
        return f"{type(self).__module__}:{type(self).__qualname__}"

    @property
    def settings(self) -> dict[str, Any]:
        """All that decides how events are read and selected, as plain data."""
        own = {
            name: TypeAdapter(kind).dump_python(getattr(self, name), mode="json")
            for name, kind in self.own.items()
        }
        return own | self.config.model_dump(mode="json", include=set(ReadingConfig.model_fields))

    @classmethod
    def of(cls, data: DataConfig) -> Self:
        """Return the reading that a configuration asks for."""
        wanted = {*cls.own, *ReadingConfig.model_fields}
        return cls.from_settings(data.model_dump(mode="json", include=wanted))

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """Return the reading of these settings."""
        given = dict(settings)
        own = {
            name: TypeAdapter(kind).validate_python(given.pop(name))
            for name, kind in cls.own.items()
            if name in given
        }
        own["config"] = ReadingConfig.model_validate(given)
        return cls(**own)

    @abstractmethod
    def accept(self, chunk: Chunk) -> Accepted:
        """Return the objects that count, and the cuts that need no more than they."""

    def compute(
        self,
        accepted: Accepted,  # noqa: ARG002
        events: Places,  # noqa: ARG002
    ) -> tuple[Mapping[str, NDArray[np.float64]], Cuts]:
        """Return features of the event and cuts on them, (k,) of k events that pass so far."""
        return {}, {}

    def event_features(self, branch_map: BranchMap) -> tuple[Feature, ...]:
        """Return the features of the event before derived ones, in the order of the array."""
        return features_of(branch_map)["event"]

    def needs(self, branch_map: BranchMap, name: str) -> Collection[str]:
        """Return what it reads of a map beside features: triggers, COLLECTION.QUANTITY.

        A map, of this name, that lacks what the reading needs is a UsageError.
        """
        for collection in self.slots:
            if collection not in branch_map.objects():
                raise UsageError(f"data: the branch map {name} names no {collection}")
        return ()

    def accepted(
        self, chunk: Chunk, limits: Mapping[str, tuple[float, float]]
    ) -> tuple[dict[str, Objects], dict[str, Places]]:
        """Return the objects that count of every collection, and where they are in the chunk.

        `limits` are smallest pT in GeV and largest |eta|, beside those of the configuration.
        """
        index = {}
        for name, objects in chunk.objects.items():
            pt_min, abs_eta_max = limits.get(name, (0.0, np.inf))
            given = self.config.objects.get(name)
            if given is not None:
                pt_min = max(pt_min, given.pt_min_gev)
                abs_eta_max = min(abs_eta_max, given.abs_eta_max or np.inf)
            index[name] = accepted_in_pt_order(objects, pt_min, abs_eta_max)
        return {name: chunk.objects[name].take(places) for name, places in index.items()}, index
