"""The canonical arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.ntuple.columns import in_words
from rootflow.ntuple.objects import mask_name

Features = dict[str, tuple[str, ...]]
# By collection and feature: what changes its sign, charge, eta or phi.
Signs = Mapping[str, Mapping[str, Sequence[str]]]

# What `label` says of an event.
SIGNAL, BACKGROUND, DATA = 1, 0, -1


@dataclass(frozen=True, init=False)
class Events:
    """n events as arrays, energies and momenta in GeV, padded with zeros.

    Collections and masks are given by the names of their arrays: jets, jet_mask, taus, tau_mask.
    What the ntuples do not have is None; of collisions beside simulation the truth is zero, the
    assignment -1.

    Attributes
    ----------
    features
        Names along the last axis of each collection, met and event; one may have none. ttbar:
        jets (pt, eta, phi, energy, btag), leptons (pt, eta, phi, energy, pdg_id), met (pt, phi),
        event (). h4l: leptons as in ttbar, event (jet_n, m4l, mass_12, ...).
    collections
        (n, slots, features) or (n, features) float32, falling in pT. Leptons of ttbar: two, the
        positive charge first; of h4l: four. pdg_id is negative for positive charge.
    masks
        (n, slots) bool, True where there is an object, of collections whose number varies.
    weight
        (n,) float64, the nominal event weight: the events expected in data where a luminosity
        is given, and 1 in data.
    event_number
        (n,) uint64, as in the ntuple; int64 where some are negative.
    file_index
        (n,) int32, which input file of the dataset's manifest; with event_number and identity
        it tells the event from all others.
    fold
        (n,) uint8.
    identity
        (n,) with an int64 field for each branch that the branch map names under `identity`
        beside the event number (run, channel, job of the generator), -1 in files that lack it.
    fold_number
        (n,) uint64, what decides the fold where the event number does not.
    assignment
        (n, 2) int32, the slot of the jet from b (of t) and from bbar, -1 where it was not
        reconstructed or not kept, and for both where they are in one jet: two slots of an
        event are never the same.
    neutrinos, true_leptons
        (n, 2, 3) float32, px, py, pz of neutrino and antineutrino, positive and negative lepton.
    tops
        (n, 2, 4) float32, px, py, pz, energy of t and tbar.
    sample
        (n,) int16, which sample of the dataset's manifest; None where there is one, unnamed.
    label
        (n,) int8, 1 for signal, 0 for background, -1 for data; of other classes the place among
        the manifest's.
    reconstructed_neutrinos
        (n, 2, 3) float32, those of another reconstruction, NaN where it has none.
    systematic_weights
        (n,) with a float64 field for each variation, each in place of `weight` and scaled so.
    """

    features: Features
    collections: Mapping[str, NDArray[np.float32]]
    masks: Mapping[str, NDArray[np.bool_]]
    weight: NDArray[np.float64]
    event_number: NDArray[np.uint64] | NDArray[np.int64]
    file_index: NDArray[np.int32]
    fold: NDArray[np.uint8]
    identity: NDArray[np.void] | None
    fold_number: NDArray[np.uint64] | None
    assignment: NDArray[np.int32] | None
    neutrinos: NDArray[np.float32] | None
    tops: NDArray[np.float32] | None
    true_leptons: NDArray[np.float32] | None
    sample: NDArray[np.int16] | None
    label: NDArray[np.int8] | None
    reconstructed_neutrinos: NDArray[np.float32] | None
    systematic_weights: NDArray[np.void] | None

    def __init__(self, features: Features, **arrays: Any) -> None:
        collections = dict(arrays.pop("collections", {}))
        masks = dict(arrays.pop("masks", {}))
        for name in features:
            if name in arrays:
                collections[name] = arrays.pop(name)
            if mask_name(name) in arrays:
                masks[name] = arrays.pop(mask_name(name))
        ordered = {name: collections[name] for name in features if name in collections}
        given = {"features": features, "collections": ordered, "masks": masks}
        given |= {name: arrays.pop(name, None) for name in PER_EVENT}
        if arrays:
            raise TypeError(f"no arrays of these features: {', '.join(sorted(arrays))}")
        for name, value in given.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.weight)

    def replace(self, **arrays: Any) -> "Events":
        """Return these events with other arrays, by name, or other features."""
        return Events(**{"features": self.features, **self.arrays(), **arrays})

    @property
    def jets(self) -> NDArray[np.float32]:
        """(n, max_jets, features)."""
        return self.collections["jets"]

    @property
    def jet_mask(self) -> NDArray[np.bool_]:
        """(n, max_jets) True where there is a jet."""
        return self.masks["jets"]

    @property
    def leptons(self) -> NDArray[np.float32]:
        """(n, leptons, features)."""
        return self.collections["leptons"]

    @property
    def met(self) -> NDArray[np.float32]:
        """(n, features)."""
        return self.collections["met"]

    @property
    def event(self) -> NDArray[np.float32]:
        """(n, features)."""
        return self.collections["event"]

    @property
    def matched(self) -> NDArray[np.bool_]:
        """(n,) True where both b jets, two of them, were kept; needs truth."""
        if self.assignment is None:
            raise ValueError("these events have no truth")
        return (self.assignment[:, 0] >= 0) & (self.assignment[:, 1] >= 0)

    @property
    def simulated(self) -> NDArray[np.bool_]:
        """(n,) True of what is no data: of all where there are no labels."""
        return np.full(len(self), True) if self.label is None else self.label != DATA

    @property
    def fold_numbers(self) -> NDArray[np.uint64]:
        """(n,) what decides the fold of each event."""
        return self.event_number.astype(np.uint64) if self.fold_number is None else self.fold_number

    @property
    def identity_columns(self) -> dict[str, NDArray[np.int64]]:
        """(n,) by branch: what stands beside the event number in the identity."""
        if self.identity is None:
            return {}
        names = self.identity.dtype.names or ()
        return {name: np.ascontiguousarray(self.identity[name]) for name in names}

    def in_words(self, event: int) -> str:
        """Return who one event is, for messages."""
        return in_words(self.event_number, self.identity_columns, event)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_] | slice) -> "Events":
        """Return the events at `index`, in its order."""
        arrays = {name: array[index] for name, array in self.arrays().items()}
        return Events(features=self.features, **arrays)

    def taking(self, features: Features) -> "Events":
        """Return the events with these of their features alone, in this order."""
        if features == self.features:
            return self
        arrays = self.arrays()
        taken = {name: features.get(name, ()) for name in self.features}
        for name, names in taken.items():
            places = [self.features[name].index(each) for each in names]
            arrays[name] = arrays[name][..., places]
        return Events(features=taken, **arrays)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return every array that these events have, by name."""
        named = {name: getattr(self, name) for name in PER_EVENT}
        masks = {mask_name(name): mask for name, mask in self.masks.items()}
        arrays = {**self.collections, **masks, **named}
        return {name: array for name, array in arrays.items() if array is not None}

    def inputs(self) -> dict[str, NDArray[Any]]:
        """Return what a network takes, by name: raw, in GeV; what has no features is left out.

        Each collection is followed by its mask.
        """
        inputs: dict[str, NDArray[Any]] = {}
        for name, array in self.collections.items():
            if self.features[name]:
                inputs[name] = array
                if name in self.masks:
                    inputs[mask_name(name)] = self.masks[name]
        return inputs

    def targets(self) -> dict[str, NDArray[Any]]:
        """Return the truth by the name of the network's output; needs truth."""
        if self.assignment is None or self.neutrinos is None:
            raise ValueError("these events have no truth")
        return {"assignment": self.assignment, "neutrinos": self.neutrinos}


# What stands beside the features of an event, whatever is measured of it.
PER_EVENT = tuple(field.name for field in fields(Events))[3:]


def pairs_of_jets(jet_mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return (n, J, J), True for ordered pairs of two different jets that are there, (n, J)."""
    different = ~np.eye(jet_mask.shape[1], dtype=bool)
    return jet_mask[:, :, np.newaxis] & jet_mask[:, np.newaxis, :] & different
