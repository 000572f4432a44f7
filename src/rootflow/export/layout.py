"""The flat input, as the ntuple production's C++ fills it.

The order is that of a dileptonic top-quark assigner in TopCPToolkit: jets by falling pT,
the leptons with the positive charge first, MET, then features of the event; feature by
feature within each object. Momenta are MeV, an absent jet has the padding value
everywhere, a lepton's PDG id has no sign.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Features
from rootflow.export.units import GEV

FLAT_INPUT = "flat_input"
PADDING_VALUE = -999.0
MEV = "MeV"
MEV_IN_A_GEV = 1000.0
# The positive lepton is first: e+ and mu+ have a negative PDG id.
SIGN_OF_PDG_ID = (-1.0, 1.0)

GROUPS = {
    "jets": "jet_inputs",
    "leptons": "lep_inputs",
    "met": "met_inputs",
    "event": "global_event_inputs",
}
PREFIXES = {"jets": "jet_", "leptons": "lep_", "met": "met_", "event": ""}
FIELD_NAMES = {"energy": "e", "btag": "b_tag", "pdg_id": "pid"}


class Slot(NamedTuple):
    """One number of the flat input."""

    offset: int
    name: str
    unit: str


@dataclass(frozen=True)
class FlatLayout:
    """Where each feature of each object is in the flat input.

    Parameters
    ----------
    features
        As in `Events`.
    units
        Of each feature, by collection, as rootflow has them inside.
    max_jets
        How many jets there is room for.
    """

    features: Features
    units: dict[str, dict[str, str]]
    max_jets: int

    @property
    def collections(self) -> tuple[str, ...]:
        """The collections that have features, in the order of the flat input."""
        return tuple(name for name in GROUPS if self.features[name])

    @property
    def size(self) -> int:
        """How many numbers an event has."""
        return sum(rows * columns for rows, columns in map(self.shape, self.collections))

    def shape(self, collection: str) -> tuple[int, int]:
        """Return how many objects and features a collection has."""
        rows = {"jets": self.max_jets, "leptons": 2}.get(collection, 1)
        return rows, len(self.features[collection])

    def names(self, collection: str) -> list[str]:
        """Return the features of a collection by the names that the C++ side uses."""
        return [_field_name(collection, name) for name in self.features[collection]]

    def slots(self) -> list[Slot]:
        """Return what stands where, and in which unit."""
        slots: list[Slot] = []
        for collection in self.collections:
            units = [self.units[collection][name] for name in self.features[collection]]
            for row in range(self.shape(collection)[0]):
                for name, unit in zip(self.names(collection), units, strict=True):
                    label = f"{name}[{row}]" if collection in ("jets", "leptons") else name
                    slots.append(Slot(len(slots), label, MEV if unit == GEV else unit))
        return slots

    def parts(self) -> Iterator[tuple[str, slice, tuple[int, int]]]:
        """Yield each collection, where it is, and its shape."""
        start = 0
        for collection in self.collections:
            rows, columns = self.shape(collection)
            yield collection, slice(start, start + rows * columns), (rows, columns)
            start += rows * columns

    def scales(self, collection: str, unit: str) -> NDArray[np.float32]:
        """Return what turns GeV into the unit where a feature is an energy, (features,)."""
        factor = MEV_IN_A_GEV if unit == MEV else 1.0
        units = [self.units[collection][name] for name in self.features[collection]]
        return np.array([factor if own == GEV else 1.0 for own in units], np.float32)

    def factors(self, collection: str) -> NDArray[np.float32]:
        """Return what turns the flat numbers into rootflow's, (objects, features)."""
        row = np.float32(1) / self.scales(collection, MEV)
        factors = np.tile(row, (self.shape(collection)[0], 1))
        if collection == "leptons" and "pdg_id" in self.features["leptons"]:
            factors[:, self.features["leptons"].index("pdg_id")] = SIGN_OF_PDG_ID
        return factors


def write_flat(inputs: dict[str, NDArray[Any]], layout: FlatLayout) -> NDArray[np.float32]:
    """Return events as the C++ side fills them, (n, size)."""
    parts = []
    for collection, _, (rows, columns) in layout.parts():
        values = inputs[collection].reshape(-1, rows, columns) / layout.factors(collection)
        if collection == "jets":
            values = np.where(inputs["jet_mask"][..., np.newaxis], values, PADDING_VALUE)
        parts.append(values.reshape(len(values), rows * columns))
    return np.concatenate(parts, axis=1).astype(np.float32)


def read_flat(flat: NDArray[np.float32], layout: FlatLayout) -> dict[str, NDArray[Any]]:
    """Return the model's inputs from flat ones, as the flat graph makes them."""
    inputs: dict[str, NDArray[Any]] = {}
    for collection, place, shape in layout.parts():
        values = flat[:, place].reshape(-1, *shape)
        scaled = values * layout.factors(collection)
        if collection == "jets":
            inputs["jet_mask"] = values[..., layout.features["jets"].index("pt")] > 0
            scaled = np.where(inputs["jet_mask"][..., np.newaxis], scaled, np.float32(0))
        inputs[collection] = scaled if collection in ("jets", "leptons") else scaled[:, 0]
    return inputs


def flat_outputs(outputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return what the flat variant says where the model says `outputs`."""
    joint = outputs["assignment"]
    return {
        "assignment": np.stack([joint.max(axis=2), joint.max(axis=1)], axis=-1),
        "regression": outputs["neutrinos"] * np.float32(MEV_IN_A_GEV),
    }


def _field_name(collection: str, name: str) -> str:
    if (collection, name) == ("met", "pt"):
        return "met_met"
    return PREFIXES[collection] + FIELD_NAMES.get(name, name)
