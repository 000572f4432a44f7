"""Missing transverse momentum."""

import awkward as ak
import numpy as np
import vector
from numpy.typing import NDArray

from rootflow.config.simulation import MetConfig
from rootflow.simulation.leptons import DressedLeptons, Leptons
from rootflow.simulation.record import Momenta, Record
from rootflow.simulation.truth import NEUTRINOS


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
    leptons: Leptons,
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
