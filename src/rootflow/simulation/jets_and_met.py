"""Jets and missing transverse momentum of events whose leptons are measured."""

from typing import NamedTuple

import awkward as ak
import numpy as np
import vector
from numpy.typing import NDArray

from rootflow.config.detector import DetectorConfig, MetConfig
from rootflow.config.simulation import JetSelectionConfig
from rootflow.simulation.jets import (
    cluster,
    distance_to,
    is_measured_in_jets,
    is_within,
    label_flavour,
    measure_jets,
    pile_up_jets,
    tag,
    without_overlap,
)
from rootflow.simulation.leptons import DressedLeptons, MeasuredLeptons
from rootflow.simulation.record import Momenta, Record
from rootflow.simulation.truth import ELECTRON, NEUTRINOS


class JetsAndMet(NamedTuple):
    """The selected jets, falling in pT, and the missing transverse momentum, GeV."""

    jets: ak.Array
    met: Momenta
    true_met: Momenta


def measure_jets_and_met(
    record: Record,
    wanted: NDArray[np.bool_],
    dressed: DressedLeptons,
    leptons: MeasuredLeptons,
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


def true_met(record: Record) -> Momenta:
    """Return the transverse momentum of all neutrinos, (n,) GeV."""
    is_neutrino = record.is_final & record.is_one_of(*NEUTRINOS)
    event, momentum = record.event[is_neutrino], record.momentum[is_neutrino]
    sums = {
        axis: np.bincount(event, weights=getattr(momentum, axis), minlength=record.events)
        for axis in ("px", "py")
    }
    return vector.array(sums)


def measure_met(
    truth: Momenta,
    particle_jets: ak.Array,
    jets: ak.Array,
    pile_up: ak.Array,
    dressed: DressedLeptons,
    leptons: MeasuredLeptons,
    config: MetConfig,
    rng: np.random.Generator,
) -> Momenta:
    """Return the measured missing transverse momentum, (n,) GeV.

    Hard objects are what arXiv:1802.08168 builds it of: what leptons and jets are measured
    to have above their true momentum is missing, and so is what pile-up jets bring; the
    rest of the event is a Gaussian soft term.
    """
    hard = jets.pt > config.jet_pt_min_gev
    missing = {}
    for axis in ("px", "py"):
        jet_excess = ak.sum((getattr(jets, axis) - getattr(particle_jets, axis))[hard], axis=1)
        lepton_excess = np.where(
            leptons.found, getattr(leptons.momentum, axis) - getattr(dressed.momentum, axis), 0
        )
        excess: NDArray[np.float64] = ak.to_numpy(
            jet_excess + ak.sum(getattr(pile_up, axis), axis=1)
        ) + lepton_excess.sum(axis=1)
        soft_term = config.soft_term_gev * rng.standard_normal(len(excess))
        missing[axis] = getattr(truth, axis) - excess + soft_term
    return vector.array(missing)


def drop_electrons(jets: ak.Array, leptons: MeasuredLeptons, distance: float) -> ak.Array:
    """Return the jets that are no electron's own deposit."""
    is_electron = leptons.found & (np.abs(leptons.pdg_id) == ELECTRON)
    for column in range(is_electron.shape[1]):
        near = distance_to(jets, leptons.momentum[:, column]) < distance
        jets = jets[~(near & is_electron[:, column])]
    return jets
