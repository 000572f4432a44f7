"""Jets and missing transverse momentum of events whose leptons are measured."""

from typing import NamedTuple

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from rootflow.config.simulation import DetectorConfig, JetSelectionConfig
from rootflow.simulation.jets import (
    cluster,
    is_measured_in_jets,
    label_flavour,
    measure_jets,
    pile_up_jets,
    tag,
    without_overlap,
)
from rootflow.simulation.leptons import DressedLeptons, Leptons
from rootflow.simulation.met import measure_met, true_met
from rootflow.simulation.record import Momenta, Record
from rootflow.simulation.selection import drop_electrons, is_within


class JetsAndMet(NamedTuple):
    """The selected jets, falling in pT, and the missing transverse momentum, GeV."""

    jets: ak.Array
    met: Momenta
    true_met: Momenta


def measure_jets_and_met(
    record: Record,
    wanted: NDArray[np.bool_],
    dressed: DressedLeptons,
    leptons: Leptons,
    detector: DetectorConfig,
    selection: JetSelectionConfig,
    rng: np.random.Generator,
) -> JetsAndMet:
    """Return the jets and the missing momentum of the wanted events (n,).

    Finding jets is what costs: all other events have none, and no meaningful MET.
    """
    seen = wanted[record.event] & is_measured_in_jets(
        record, dressed.constituents, detector.jets.particle_eta_max
    )
    particle_jets = cluster(record.by_event(seen), detector.jets)
    particle_jets["flavour"] = label_flavour(particle_jets, record, detector.btagging)
    measured = measure_jets(particle_jets, detector.jets, rng)
    pile_up = without_overlap(
        pile_up_jets(record.events, detector.pile_up, selection, rng), measured, detector.jets
    )
    truth = true_met(record)
    met = measure_met(truth, particle_jets, measured, pile_up, dressed, leptons, detector.met, rng)

    jets = ak.concatenate([measured, pile_up], axis=1)
    jets = jets[is_within(jets, selection.jet_pt_min_gev, selection.jet_eta_max)]
    jets = drop_electrons(jets, leptons, selection.electron_jet_distance)
    jets = jets[ak.argsort(jets.pt, axis=1, ascending=False)]
    jets["quantile"] = tag(jets.flavour, detector.btagging, rng)
    return JetsAndMet(jets, met, truth)
