"""Particle jets, their flavour, the detector's response, and missing transverse momentum."""

from typing import Any

import awkward as ak
import fastjet
import numpy as np
import vector
from numpy.typing import NDArray

from rootflow.config.detector import (
    BTaggingConfig,
    DetectorConfig,
    JetsConfig,
    MetConfig,
    PileUpConfig,
)
from rootflow.config.simulation import JetSelectionConfig
from rootflow.simulation.leptons import DressedLeptons, MeasuredLeptons
from rootflow.simulation.record import (
    ELECTRON,
    MUON,
    NEUTRINOS,
    NOBODY,
    GeneratorRecord,
    Momenta,
    with_fields,
)

vector.register_awkward()

BOTTOM, CHARM, LIGHT = 5, 4, 0


def measure_jets_and_met(
    record: GeneratorRecord,
    wanted: NDArray[np.bool_],
    dressed: DressedLeptons,
    leptons: MeasuredLeptons,
    detector: DetectorConfig,
    selection: JetSelectionConfig,
    rng: np.random.Generator,
) -> tuple[ak.Array, Momenta, Momenta]:
    """Return the jets and the missing momentum of the wanted events (n,).

    Finding jets is what costs: all other events have none, and no meaningful MET.
    """
    seen = wanted[record.event] & is_measured_in_jets(
        record, dressed.owner != NOBODY, detector.jets.particle_eta_max
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
    return jets, met, truth


def true_met(record: GeneratorRecord) -> Momenta:
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


def is_measured_in_jets(
    record: GeneratorRecord, apart_from: NDArray[np.bool_], eta_max: float
) -> NDArray[np.bool_]:
    """(particles,) what calorimeters see: all final particles but neutrinos and muons."""
    seen = record.is_final & ~apart_from & ~record.is_one_of(MUON, *NEUTRINOS)
    seen[seen] = np.abs(record.momentum[seen].eta) < eta_max
    return seen


def cluster(particles: ak.Array, config: JetsConfig) -> ak.Array:
    """Return the anti-kt jets (arXiv:0802.1189) of the particles, pt, eta, phi, mass in GeV."""
    definition = fastjet.JetDefinition(fastjet.antikt_algorithm, config.radius)
    jets = fastjet.ClusterSequence(particles, definition).inclusive_jets(
        min_pt=config.particle_jet_pt_min_gev
    )
    return with_fields(jets, {"mass": np.maximum(jets.mass, 0)})


def label_flavour(jets: ak.Array, record: GeneratorRecord, config: BTaggingConfig) -> ak.Array:
    """Return 5 for jets that are the nearest to a b hadron, 4 to a c hadron, 0 for all others.

    The hadrons have a least pT and a largest dR to their jet, as ATLAS labels jets
    (arXiv:2505.19689).
    """
    labels = ak.zeros_like(jets.pt, dtype=np.int32)
    for quark in (CHARM, BOTTOM):
        hadrons = record.by_event(is_hadron_with(quark, record.pdg_id))
        hadrons = hadrons[hadrons.pt > config.hadron_pt_min_gev]
        near = _is_nearest(jets, hadrons, config.hadron_distance)
        labels = ak.where(near, np.int32(quark), labels)
    return labels


def is_hadron_with(quark: int, pdg_id: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return where the heaviest quark of a hadron is this one, by its PDG number.

    Monte Carlo numbering scheme of the PDG: the digits nq1 nq2 nq3 before the last one.
    """
    number = np.abs(pdg_id)
    digits = np.stack([number // 10 % 10, number // 100 % 10, number // 1000 % 10])
    is_hadron = (number > 100) & (number < 10_000_000) & (digits[:2].min(axis=0) > 0)
    with_quark: NDArray[np.bool_] = is_hadron & (digits.max(axis=0) == quark)
    return with_quark


def _is_nearest(jets: ak.Array, hadrons: ak.Array, distance: float) -> ak.Array:
    """Return where a jet is the nearest one to a hadron, and within `distance` of it."""
    apart = hadrons[:, :, np.newaxis].deltaR(jets[:, np.newaxis, :])
    nearest = ak.argmin(apart, axis=2)[ak.fill_none(ak.min(apart, axis=2) < distance, False)]
    jet = ak.local_index(jets.pt)
    return ak.any(jet[:, :, np.newaxis] == nearest[:, np.newaxis, :], axis=2)


def distance_to(jets: ak.Array, momentum: Momenta) -> ak.Array:
    """Return dR of each jet (n, var) to the one momentum (n,) of its event."""
    other = ak.zip({"eta": momentum.eta, "phi": momentum.phi, "pt": momentum.pt, "mass": 0.0})
    return jets.deltaR(ak.with_name(other, "Momentum4D")[:, np.newaxis])


def measure_jets(jets: ak.Array, config: JetsConfig, rng: np.random.Generator) -> ak.Array:
    """Return the jets with the detector's resolution, in the same order; fields stay."""
    pt = ak.to_numpy(ak.flatten(jets.pt))
    spread = rng.standard_normal((3, len(pt)))
    scale = np.maximum(1 + jet_resolution(pt, config) * spread[0], 0)
    counts = ak.num(jets)
    measured = {
        "pt": jets.pt * ak.unflatten(scale, counts),
        "eta": jets.eta + ak.unflatten(config.angle * spread[1], counts),
        "phi": jets.phi + ak.unflatten(config.angle * spread[2], counts),
        "mass": jets.mass * ak.unflatten(scale, counts),
    }
    others = {name: jets[name] for name in ak.fields(jets) if name not in measured}
    return ak.zip(measured | others, with_name="Momentum4D")


def jet_resolution(pt: NDArray[np.float64], config: JetsConfig) -> NDArray[np.float64]:
    """Return sigma(pT)/pT for pT in GeV."""
    return np.sqrt((config.noise_gev / pt) ** 2 + config.stochastic**2 / pt + config.constant**2)


def pile_up_jets(
    events: int, config: PileUpConfig, selection: JetSelectionConfig, rng: np.random.Generator
) -> ak.Array:
    """Return jets of other collisions within the selection's pT and eta, (events, var)."""
    counts = rng.poisson(config.mean_jets, events)
    total = int(counts.sum())
    # Inverse of the cumulative distribution of a power law above the threshold.
    pt = selection.jet_pt_min_gev * rng.random(total) ** (-1 / (config.pt_exponent - 1))
    jets = ak.zip(
        {
            "pt": pt,
            "eta": rng.uniform(-selection.jet_eta_max, selection.jet_eta_max, total),
            "phi": rng.uniform(-np.pi, np.pi, total),
            "mass": config.mass_over_pt * pt,
            "flavour": np.full(total, LIGHT, dtype=np.int32),
        },
        with_name="Momentum4D",
    )
    return ak.unflatten(jets, counts)


def without_overlap(pile_up: ak.Array, jets: ak.Array, config: JetsConfig) -> ak.Array:
    """Return the pile-up jets that are not within the radius of a jet of the event."""
    apart = pile_up[:, :, np.newaxis].deltaR(jets[:, np.newaxis, :])
    return pile_up[~ak.any(apart < config.radius, axis=2)]


def tag(flavours: ak.Array, config: BTaggingConfig, rng: np.random.Generator) -> ak.Array:
    """Return the b-tagging quantile: 1 passes no working point, one more for each passed."""
    flat = ak.to_numpy(ak.flatten(flavours))
    efficiency = np.empty((len(flat), len(config.working_points)))
    for label, of_flavour in (
        (BOTTOM, config.b_jets),
        (CHARM, config.c_jets),
        (LIGHT, config.light_jets),
    ):
        efficiency[flat == label] = of_flavour
    passed = rng.random(len(flat))[:, np.newaxis] < efficiency
    return ak.unflatten(1 + passed.sum(axis=1, dtype=np.int32), ak.num(flavours))


def is_within(momentum: Momenta, pt_min: float, eta_max: float) -> Any:
    """Return where the momenta are in the acceptance."""
    return (momentum.pt > pt_min) & (np.abs(momentum.eta) < eta_max)
