"""From generated events to what the ntuple says of those that are selected."""

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from rootflow.config.simulation import DetectorConfig, SelectionConfig
from rootflow.simulation.branches import (
    generator_branches,
    jet_branches,
    lepton_branches,
    met_branches,
    truth_branches,
)
from rootflow.simulation.jets import (
    cluster,
    is_measured_in_jets,
    label_flavour,
    measure_jets,
    pile_up_jets,
    tag,
    without_overlap,
)
from rootflow.simulation.leptons import dress, measure_leptons
from rootflow.simulation.matching import match_jets
from rootflow.simulation.met import measure_met, true_met
from rootflow.simulation.record import Record
from rootflow.simulation.selection import (
    are_isolated,
    drop_electrons,
    has_two_leptons,
    is_within,
)
from rootflow.simulation.truth import find_top_decays


def observe_top_pairs(
    batch: ak.Array,
    detector: DetectorConfig,
    selection: SelectionConfig,
    rng: np.random.Generator,
) -> tuple[ak.Array, NDArray[np.bool_]]:
    """Return the branches of the selected events, and which of the n events these are."""
    record = Record.of(batch.prt)
    decays = find_top_decays(record)
    dressed = dress(record, decays.visible_lepton, detector.dressing_distance)
    leptons = measure_leptons(dressed, detector, rng)
    has_leptons = has_two_leptons(leptons, selection)

    # Finding jets is what costs: only where there are two leptons.
    seen = has_leptons[record.event] & is_measured_in_jets(
        record, dressed.constituents, detector.jets.particle_eta_max
    )
    particle_jets = cluster(record.by_event(seen), detector.jets)
    particle_jets["flavour"] = label_flavour(particle_jets, record, detector.btagging)
    measured = measure_jets(particle_jets, detector.jets, rng)
    pile_up = without_overlap(
        pile_up_jets(record.events, detector.pile_up, selection, rng), measured, detector.jets
    )
    truth_met = true_met(record)
    met = measure_met(
        truth_met, particle_jets, measured, pile_up, dressed, leptons, detector.met, rng
    )

    jets = ak.concatenate([measured, pile_up], axis=1)
    jets = jets[is_within(jets, selection.jet_pt_min_gev, selection.jet_eta_max)]
    jets = drop_electrons(jets, leptons, selection.electron_jet_distance)
    jets = jets[ak.argsort(jets.pt, axis=1, ascending=False)]
    jets["quantile"] = tag(jets.flavour, detector.btagging, rng)
    quarks = record.momentum[decays.quark]
    of_quark = match_jets(jets, quarks, selection.parton_jet_distance)

    has_jets = ak.to_numpy(ak.num(jets)) >= selection.jets_min
    isolated = are_isolated(jets, leptons, selection.jet_lepton_distance)
    selected = has_leptons & isolated & has_jets
    branches = (
        jet_branches(jets, of_quark)
        | lepton_branches(leptons)
        | met_branches(met, truth_met)
        | truth_branches(record, decays)
        | generator_branches(batch.info)
    )
    return ak.Array(branches)[selected], selected
