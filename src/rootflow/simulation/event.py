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
from rootflow.simulation.jets_and_met import measure_jets_and_met
from rootflow.simulation.leptons import dress, measure_leptons
from rootflow.simulation.matching import match_jets
from rootflow.simulation.record import Record
from rootflow.simulation.selection import (
    are_isolated,
    has_two_leptons,
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

    jets, met, truth_met = measure_jets_and_met(
        record, has_leptons, dressed, leptons, detector, selection, rng
    )
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
