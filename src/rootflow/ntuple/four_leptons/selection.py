"""Selection of four-lepton events, and the canonical arrays of what is left."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config.samples import FourLeptonSelectionConfig
from rootflow.ntuple.four_leptons.cuts import event_cuts, lepton_cuts, pair_cuts
from rootflow.ntuple.four_leptons.reading import Chunk
from rootflow.ntuple.objects import accepted_in_pt_order, padded, slots
from rootflow.ntuple.selection import Cutflow, apply
from rootflow.physics.four_leptons import FEATURES, observables, z_pairing

N_LEPTONS = 4
N_FEATURES = 5  # pt, eta, phi, energy, pdg_id


class Selected(NamedTuple):
    """What is left of a chunk.

    Attributes
    ----------
    arrays
        Canonical arrays of the selected events, by the names of `Events`.
    cutflow
        Of all its events.
    mask
        (n,) bool, which of its events are selected.
    passed
        (n,) uint8, how many cuts each of its events passes before one that it does not.
    """

    arrays: dict[str, NDArray[Any]]
    cutflow: Cutflow
    mask: NDArray[np.bool_]
    passed: NDArray[np.uint8]


def select(chunk: Chunk, selection: FourLeptonSelectionConfig | None) -> Selected:
    """Return the events that pass every cut, with their four leptons falling in pT.

    Parameters
    ----------
    selection
        None: every event that has four leptons, or more.
    """
    order = accepted_in_pt_order(chunk.leptons, 0.0, np.inf)
    all_leptons = chunk.leptons.take(order)
    counts = all_leptons.counts()
    leptons = padded(all_leptons, slots(all_leptons), np.arange(len(chunk)), N_LEPTONS)
    quantities = {
        name: leptons[..., N_FEATURES + place] for place, name in enumerate(chunk.quantities)
    }
    leptons = np.ascontiguousarray(leptons[..., :N_FEATURES])
    cuts = event_cuts(counts, chunk.trigger, selection)
    if selection is not None:
        cuts |= lepton_cuts(leptons, quantities, selection)
    # Pairs and angles only of what passes so far.
    left = np.flatnonzero(np.all(list(cuts.values()), axis=0))
    computed = observables(leptons[left])
    if selection is not None:
        for name, passes in pair_cuts(computed, z_pairing(leptons[left]), selection).items():
            cuts[name] = np.zeros(len(chunk), dtype=np.bool_)
            cuts[name][left] = passes
    kept, cutflow, passed = apply(cuts, chunk.weight)
    mask = np.zeros(len(chunk), dtype=np.bool_)
    mask[kept] = True
    of_leptons = np.stack([computed[name] for name, _ in FEATURES], axis=-1)[mask[left]]
    n_kept = len(kept)
    arrays: dict[str, NDArray[Any]] = {
        "jets": np.zeros((n_kept, 0, 0), dtype=np.float32),
        "jet_mask": np.zeros((n_kept, 0), dtype=np.bool_),
        "leptons": leptons[kept],
        "met": np.zeros((n_kept, 0), dtype=np.float32),
        "event": np.concatenate(
            [chunk.jet_n[kept], of_leptons, chunk.extra[kept]], axis=1, dtype=np.float32
        ),
        "weight": chunk.weight[kept],
        **chunk.identity.take(kept).arrays(),
    }
    return Selected(arrays, cutflow, mask, passed)
