"""Selection of objects and events, and the canonical arrays of what is left."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config.data import SelectionConfig
from rootflow.ntuple.objects import Objects, accepted_in_pt_order, padded, slots
from rootflow.ntuple.reading import Chunk

PDG_ID = -1  # the last feature of leptons
BTAG = 4  # of jets

Cutflow = dict[str, tuple[int, float]]
"""Events and sum of weights left after each cut, in order."""


class Selected(NamedTuple):
    """Canonical arrays of the selected events, by the names of `Events`, and the cutflow."""

    arrays: dict[str, NDArray[Any]]
    cutflow: Cutflow


def select(chunk: Chunk, selection: SelectionConfig, max_jets: int) -> Selected:
    """Return the events that pass every cut, jets and leptons in order and padded.

    Jets fall in pT, those beyond `max_jets` are left out. The positive lepton comes
    first; of leptons of the same sign the harder one.
    """
    jet_index = accepted_in_pt_order(
        chunk.jets, selection.jet_pt_min_gev, selection.jet_abs_eta_max
    )
    lepton_index = accepted_in_pt_order(
        chunk.leptons, selection.lepton_pt_min_gev, selection.lepton_abs_eta_max
    )
    jets, leptons = chunk.jets.take(jet_index), chunk.leptons.take(lepton_index)
    lepton_pairs = padded(leptons, 2)
    passes = _cuts(chunk, jets, leptons, lepton_pairs, selection)
    kept, cutflow = _apply(passes, chunk.weight)

    jet_counts = np.minimum(jets.counts()[kept], max_jets)
    arrays: dict[str, NDArray[Any]] = {
        "jets": padded(jets, max_jets)[kept],
        "jet_mask": np.arange(max_jets) < jet_counts[:, np.newaxis],
        "leptons": _positive_first(lepton_pairs[kept]),
        "met": chunk.met[kept],
        "event": chunk.event[kept],
        "weight": chunk.weight[kept],
        "event_number": chunk.event_number[kept],
    }
    truth = chunk.truth
    if truth.jet_index is not None:
        arrays["assignment"] = _slots_of(truth.jet_index, chunk.jets, jet_index, max_jets)[kept]
    if truth.neutrinos is not None:
        arrays["neutrinos"] = truth.neutrinos[kept]
    if truth.tops is not None:
        arrays["tops"] = truth.tops[kept]
    return Selected(arrays, cutflow)


def add(total: Cutflow, part: Cutflow) -> Cutflow:
    """Return the cutflow of the events of both."""
    return {
        name: (total.get(name, (0, 0.0))[0] + events, total.get(name, (0, 0.0))[1] + weight)
        for name, (events, weight) in part.items()
    }


def _cuts(
    chunk: Chunk,
    jets: Objects,
    leptons: Objects,
    lepton_pairs: NDArray[np.float32],
    selection: SelectionConfig,
) -> dict[str, NDArray[np.bool_]]:
    n_leptons = leptons.counts()
    cuts = {"all events": np.ones(len(chunk), dtype=np.bool_)}
    lepton_cut = (
        f"leptons with pT >= {selection.lepton_pt_min_gev:g} GeV, "
        f"|eta| <= {selection.lepton_abs_eta_max:g}"
    )
    if selection.exactly_two_leptons:
        cuts[f"exactly 2 {lepton_cut}"] = n_leptons == 2
    else:
        cuts[f"at least 2 {lepton_cut}"] = n_leptons >= 2
    if selection.opposite_sign:
        cuts["leptons of opposite sign"] = lepton_pairs[..., PDG_ID].prod(axis=1) < 0
    cuts[
        f"at least {selection.jets_min} jets with pT >= {selection.jet_pt_min_gev:g} GeV, "
        f"|eta| <= {selection.jet_abs_eta_max:g}"
    ] = jets.counts() >= selection.jets_min
    if selection.btagged_jets_min:
        tagged = jets.event[jets.features[:, BTAG] >= selection.btag_min]
        cuts[
            f"at least {selection.btagged_jets_min} of them b-tagged "
            f"(btag >= {selection.btag_min:g})"
        ] = np.bincount(tagged, minlength=len(chunk)) >= selection.btagged_jets_min
    if chunk.truth.dileptonic is not None:
        cuts["both W bosons decay to a neutrino (truth)"] = chunk.truth.dileptonic
    return cuts


def _apply(
    cuts: Mapping[str, NDArray[np.bool_]], weight: NDArray[np.float64]
) -> tuple[NDArray[np.int64], Cutflow]:
    passes = np.ones(len(weight), dtype=np.bool_)
    cutflow: Cutflow = {}
    for name, cut in cuts.items():
        passes &= cut
        cutflow[name] = (int(passes.sum()), float(weight[passes].sum()))
    return np.flatnonzero(passes), cutflow


def _positive_first(pairs: NDArray[np.float32]) -> NDArray[np.float32]:
    wrong_way = (pairs[:, 0, PDG_ID] > 0) & (pairs[:, 1, PDG_ID] < 0)
    return np.where(wrong_way[:, np.newaxis, np.newaxis], pairs[:, ::-1], pairs)


def _slots_of(
    jet_index: NDArray[np.int64], jets: Objects, kept: NDArray[np.int64], max_jets: int
) -> NDArray[np.int32]:
    """Return (n, 2) the slots of jets that are named by their place in the ntuple."""
    slot = slots(jets.take(kept))
    slot_of_jet = np.full(len(jets.event) + 1, -1, dtype=np.int32)  # the last one: no jet
    slot_of_jet[kept] = np.where(slot < max_jets, slot, -1)
    counts = jets.counts()
    first = np.cumsum(counts) - counts
    exists = (jet_index >= 0) & (jet_index < counts[:, np.newaxis])
    return slot_of_jet[np.where(exists, first[:, np.newaxis] + jet_index, -1)]
