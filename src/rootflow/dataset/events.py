"""The canonical arrays."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.ntuple.identity import in_words

Features = dict[str, tuple[str, ...]]

# What `label` says of an event.
SIGNAL, BACKGROUND, DATA = 1, 0, -1

COLLECTIONS = ("jets", "leptons", "met", "event")


@dataclass(frozen=True)
class Events:
    """n events as arrays, energies and momenta in GeV, padded with zeros.

    Attributes
    ----------
    features
        Names along the last axis of jets, leptons, met and event, in their order; a
        collection may have none.
        ttbar: jets (pt, eta, phi, energy, btag), leptons (pt, eta, phi, energy, pdg_id),
        met (pt, phi), event (). h4l: leptons as in ttbar, event (jet_n, m4l, mass_12, ...).
    jets
        (n, max_jets, features) float32, falling in pT; h4l: no slots.
    jet_mask
        (n, max_jets) bool, True where there is a jet.
    leptons
        (n, leptons, features) float32. ttbar: two, the positive charge first; h4l: four,
        falling in pT. The sign of pdg_id is that of the particle: negative for positive charge.
    met
        (n, features) float32.
    event
        (n, features) float32.
    weight
        (n,) float64, the nominal event weight; h4l: events expected in data, and 1 in data.
    event_number
        (n,) uint64, as in the ntuple; int64 where some are negative.
    file_index
        (n,) int32, which input file of the dataset's manifest; with event_number and identity
        it tells the event from all others.
    fold
        (n,) uint8.
    identity
        (n,) with an int64 field for each branch that the branch map names under `identity`
        beside the event number (run, channel, job of the generator), -1 in files that lack
        it. None where there is none.
    fold_number
        (n,) uint64, what decides the fold. None where the event number does.
    assignment
        (n, 2) int32, the slot of the jet from b (of t) and from bbar, -1 where it was not
        reconstructed or not kept, and for both where they are in one jet: two slots of an
        event are never the same. None in data, as all that follow.
    neutrinos
        (n, 2, 3) float32, px, py, pz of neutrino and antineutrino, GeV.
    tops
        (n, 2, 4) float32, px, py, pz, energy of t and tbar, GeV.
    true_leptons
        (n, 2, 3) float32, px, py, pz of the generated positive and negative lepton, GeV. None
        where the branch map names none.
    sample
        (n,) int16, which sample of the dataset's manifest. None in ttbar, as `label`.
    label
        (n,) int8, 1 for signal, 0 for background, -1 for data.
    reconstructed_neutrinos
        (n, 2, 3) float32, px, py, pz in GeV of neutrino and antineutrino as another
        reconstruction left them in the ntuple, NaN where it has none. None where the branch
        map names none.
    systematic_weights
        (n,) with a float64 field for each variation, each in place of `weight` and scaled as
        that is. None where the branch map names none.
    """

    features: Features
    jets: NDArray[np.float32]
    jet_mask: NDArray[np.bool_]
    leptons: NDArray[np.float32]
    met: NDArray[np.float32]
    event: NDArray[np.float32]
    weight: NDArray[np.float64]
    event_number: NDArray[np.uint64] | NDArray[np.int64]
    file_index: NDArray[np.int32]
    fold: NDArray[np.uint8]
    identity: NDArray[np.void] | None = None
    fold_number: NDArray[np.uint64] | None = None
    assignment: NDArray[np.int32] | None = None
    neutrinos: NDArray[np.float32] | None = None
    tops: NDArray[np.float32] | None = None
    true_leptons: NDArray[np.float32] | None = None
    sample: NDArray[np.int16] | None = None
    label: NDArray[np.int8] | None = None
    reconstructed_neutrinos: NDArray[np.float32] | None = None
    systematic_weights: NDArray[np.void] | None = None

    def __len__(self) -> int:
        return len(self.weight)

    @property
    def matched(self) -> NDArray[np.bool_]:
        """(n,) True where both b jets, two of them, were kept; needs truth."""
        if self.assignment is None:
            raise ValueError("these events have no truth")
        return (self.assignment[:, 0] >= 0) & (self.assignment[:, 1] >= 0)

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
        beside = {name: values[event] for name, values in self.identity_columns.items()}
        return in_words(int(self.event_number[event]), beside)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_] | slice) -> "Events":
        """Return the events at `index`, in its order."""
        arrays = {name: array[index] for name, array in self.arrays().items()}
        return Events(features=self.features, **arrays)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return every array that these events have, by name."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: array for name, array in named.items() if name != "features" and array is not None
        }

    def inputs(self) -> dict[str, NDArray[Any]]:
        """Return what a network takes, by name: raw, in GeV; what has no features is left out."""
        collections = [name for name in COLLECTIONS if self.features.get(name)]
        masks = ["jet_mask"] if "jets" in collections else []
        return {name: getattr(self, name) for name in [*collections[:1], *masks, *collections[1:]]}

    def targets(self) -> dict[str, NDArray[Any]]:
        """Return the truth by the name of the network's output; needs truth."""
        if self.assignment is None or self.neutrinos is None:
            raise ValueError("these events have no truth")
        return {"assignment": self.assignment, "neutrinos": self.neutrinos}
