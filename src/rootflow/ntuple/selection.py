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
    """What is left of a chunk.

    Attributes
    ----------
    arrays
        Canonical arrays of the selected events, by the names of `Events`.
    cutflow
        Of all its events.
    passed
        (n,) uint8, how many cuts each of its events passes before one that it does not.
    """

    arrays: dict[str, NDArray[Any]]
    cutflow: Cutflow
    passed: NDArray[np.uint8]


class Located(NamedTuple):
    """Selected events, and where in the ntuple they and their jets are.

    Attributes
    ----------
    arrays
        Canonical arrays of the k selected events, by the names of `Events`.
    kept
        (k,) int64, which events of the chunk they are.
    jet_places
        (k, max_jets) int32, where the jet of each slot is in the event's own list, from 0;
        -1 where the slot has no jet.
    """

    arrays: dict[str, NDArray[Any]]
    kept: NDArray[np.int64]
    jet_places: NDArray[np.int32]


def select(chunk: Chunk, selection: SelectionConfig, max_jets: int) -> Selected:
    """Return the events that pass every cut, jets and leptons in order and padded.

    Jets fall in pT, those beyond `max_jets` are left out. The positive lepton comes
    first; of leptons of the same sign the harder one.
    """
    return select_indexed(chunk, selection, max_jets)[0]


def select_located(chunk: Chunk, selection: SelectionConfig, max_jets: int) -> Located:
    """Return what `select` does, and where in the ntuple it is."""
    (arrays, _, _), kept, jet_index = select_indexed(chunk, selection, max_jets)
    accepted = chunk.jets.take(jet_index)
    row_of_event = np.full(len(chunk), -1)
    row_of_event[kept] = np.arange(len(kept))
    row, slot = row_of_event[accepted.event], slots(accepted)
    fits = (row >= 0) & (slot < max_jets)
    places = np.full((len(kept), max_jets), -1, dtype=np.int32)
    places[row[fits], slot[fits]] = slots(chunk.jets)[jet_index[fits]]
    return Located(arrays, kept, places)


def select_indexed(
    chunk: Chunk, selection: SelectionConfig, max_jets: int
) -> tuple[Selected, NDArray[np.int64], NDArray[np.int64]]:
    """Return what is selected, which events these are, and the accepted jets by falling pT."""
    jet_index = accepted_in_pt_order(
        chunk.jets, selection.jet_pt_min_gev, selection.jet_abs_eta_max
    )
    lepton_index = accepted_in_pt_order(
        chunk.leptons, selection.lepton_pt_min_gev, selection.lepton_abs_eta_max
    )
    jets, leptons = chunk.jets.take(jet_index), chunk.leptons.take(lepton_index)
    jet_slot = slots(jets)
    lepton_pairs = _positive_first(padded(leptons, slots(leptons), np.arange(len(chunk)), 2))
    kept, cutflow, passed = apply(
        _cuts(chunk, jets, leptons, lepton_pairs, selection), chunk.weight
    )
    jet_counts = jets.counts().take(kept)
    arrays: dict[str, NDArray[Any]] = {
        "jets": padded(jets, jet_slot, kept, max_jets),
        "jet_mask": np.arange(max_jets) < jet_counts[:, np.newaxis],
        "leptons": lepton_pairs.take(kept, axis=0),
        "met": chunk.met.take(kept, axis=0),
        "event": chunk.event.take(kept, axis=0),
        "weight": chunk.weight.take(kept),
        **chunk.identity.take(kept).arrays(),
    }
    truth = chunk.truth
    if truth.jet_index is not None:
        slot_of_jet = np.full(len(chunk.jets.event), -1)
        slot_of_jet[jet_index] = np.where(jet_slot < max_jets, jet_slot, -1)
        arrays["assignment"] = _slots_of(truth.jet_index, chunk.jets, slot_of_jet).take(
            kept, axis=0
        )
    if truth.neutrinos is not None:
        arrays["neutrinos"] = truth.neutrinos.take(kept, axis=0)
    if truth.leptons is not None:
        arrays["true_leptons"] = truth.leptons.take(kept, axis=0)
    if truth.tops is not None:
        arrays["tops"] = truth.tops.take(kept, axis=0)
    if chunk.neutrinos is not None:
        arrays["reconstructed_neutrinos"] = chunk.neutrinos.take(kept, axis=0)
    if chunk.systematic_weights is not None:
        arrays["systematic_weights"] = chunk.systematic_weights.take(kept)
    return Selected(arrays, cutflow, passed), kept, jet_index


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


def apply(
    cuts: Mapping[str, NDArray[np.bool_]], weight: NDArray[np.float64]
) -> tuple[NDArray[np.int64], Cutflow, NDArray[np.uint8]]:
    """Return which events pass all cuts, the cutflow, and how many cuts each event passes."""
    passes = np.ones(len(weight), dtype=np.bool_)
    passed = np.zeros(len(weight), dtype=np.uint8)
    cutflow: Cutflow = {}
    for name, cut in cuts.items():
        passes &= cut
        passed += passes
        with np.errstate(over="ignore", invalid="ignore"):  # an infinite sum is refused
            cutflow[name] = (int(passes.sum()), float(weight[passes].sum()))
    return np.flatnonzero(passes), cutflow, passed


def _positive_first(pairs: NDArray[np.float32]) -> NDArray[np.float32]:
    wrong_way = np.flatnonzero((pairs[:, 0, PDG_ID] > 0) & (pairs[:, 1, PDG_ID] < 0))
    pairs[wrong_way] = pairs[wrong_way, ::-1]
    return pairs


def _slots_of(
    jet_index: NDArray[np.int64], jets: Objects, slot_of_jet: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Return (n, 2) the slots of jets that are named by their place in the ntuple."""
    counts = jets.counts()
    first = np.cumsum(counts) - counts
    exists = jet_index >= 0
    place = (first[:, np.newaxis] + jet_index)[exists]
    assignment = np.full(jet_index.shape, -1, dtype=np.int32)
    assignment[exists] = slot_of_jet[place]
    return assignment
