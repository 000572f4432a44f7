"""The canonical arrays."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        (n,) uint64, as in the ntuple.
    file_index
        (n,) int32, which input file of the dataset's manifest; with event_number it is
        the event's identity.
    fold
        (n,) uint8.
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
    event_number: NDArray[np.uint64]
    file_index: NDArray[np.int32]
    fold: NDArray[np.uint8]
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
