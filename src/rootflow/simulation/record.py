"""The generator's event record as flat arrays, and the decays of t, W and Z in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np
import vector
from numpy.typing import NDArray

from rootflow.errors import RootflowError

NOBODY = -1
TOP, Z_BOSON, W_BOSON = 6, 23, 24
ELECTRON, MUON, TAU = 11, 13, 15
NEUTRINOS = (12, 14, 16)

# vector's arrays of momenta: its types do not survive indexing.
Momenta = Any
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class GeneratorRecord:
    """The particles of n events, one event after another.

    `event` (particles,) is the event of each, 0 to n - 1. `pdg_id` and `status` (particles,) are as
    Pythia gives them: a positive status is a final particle. `mother` (particles,) and `daughters`
    (particles, 2), first and last, are places among all particles, NOBODY where there is none.
    `momentum` (particles,) is in GeV, `vertex` (particles, 3) where it is produced: x, y, z in mm
    from the collision.
    """

    events: int
    event: NDArray[np.int64]
    pdg_id: NDArray[np.int32]
    status: NDArray[np.int32]
    mother: NDArray[np.int64]
    daughters: NDArray[np.int64]
    momentum: Momenta
    vertex: NDArray[np.float64]

    @classmethod
    def of(cls, particles: ak.Array) -> "GeneratorRecord":
        """Return the record of the particles as Pythia gives them, (n, particles)."""
        counts = ak.to_numpy(ak.num(particles.id))
        event = np.repeat(np.arange(len(counts)), counts)
        first_of_event = np.repeat(np.cumsum(counts) - counts, counts)
        local_daughters = np.stack(
            [_flat(particles.daughter1), _flat(particles.daughter2)], axis=-1
        )
        local_mother = _flat(particles.mother1)
        momentum, vertex = particles.p, particles.vProd
        return cls(
            events=len(counts),
            event=event,
            pdg_id=_flat(particles.id),
            status=_flat(particles.status),
            mother=np.where(local_mother > 0, local_mother + first_of_event, NOBODY),
            daughters=np.where(
                local_daughters > 0, local_daughters + first_of_event[:, np.newaxis], NOBODY
            ),
            momentum=vector.array(
                {name: _flat(momentum[name.lower()]) for name in ("px", "py", "pz", "E")}
            ),
            # Pythia names no vertex where it is that of the collision.
            vertex=np.stack(
                [_flat(ak.fill_none(vertex[axis], 0.0)) for axis in ("px", "py", "pz")], axis=-1
            ),
        )

    @property
    def is_final(self) -> NDArray[np.bool_]:
        """(particles,) where a particle reaches the detector."""
        return self.status > 0

    def is_one_of(self, *species: int) -> NDArray[np.bool_]:
        """(particles,) where the absolute PDG number is one of these."""
        return np.isin(np.abs(self.pdg_id), species)

    def by_event(self, chosen: NDArray[np.bool_]) -> ak.Array:
        """Return the momenta of the chosen particles, (n, chosen of each event)."""
        momentum = self.momentum[chosen]
        components = {name: getattr(momentum, name) for name in ("px", "py", "pz", "E")}
        flat = ak.zip(components, with_name="Momentum4D")
        return ak.unflatten(flat, np.bincount(self.event[chosen], minlength=self.events))


def with_fields(momenta: Momenta, fields: Mapping[str, Any]) -> ak.Array:
    """Return momenta as records of awkward, with more fields."""
    polar = {name: getattr(momenta, name) for name in ("pt", "eta", "phi", "mass")}
    return ak.zip({**polar, **fields}, with_name="Momentum4D")


def _flat(jagged: ak.Array) -> Any:
    return ak.to_numpy(ak.flatten(jagged))


@dataclass(frozen=True)
class Decays:
    """Where the two leptons are in the record, (n, 2): that of positive charge first.

    Each is the final electron or muon, be it from a tau; NOBODY where a tau decays to hadrons.
    """

    visible_lepton: Indices


@dataclass(frozen=True)
class TopDecays(Decays):
    """Where the particles of the decays are in the record, (n, 2) each: of t, then of tbar.

    The top quark is that after its radiation, and the momenta of W boson and quark add up to its
    own; lepton and neutrino are those that the W boson decays to, before radiation of photons.
    """

    top: Indices
    w_boson: Indices
    quark: Indices
    lepton: Indices
    neutrino: Indices


def find_top_decays(record: GeneratorRecord) -> TopDecays:
    """Return the decays of the top and the antitop quark of each event."""
    top = np.stack([_decaying(record, TOP), _decaying(record, -TOP)], axis=-1)
    w_boson, quark = _sort_daughters(record, top, record.is_one_of(W_BOSON))
    lepton, neutrino = _sort_daughters(
        record, last_copy(record, w_boson), record.is_one_of(ELECTRON, MUON, TAU)
    )
    return TopDecays(_visible_lepton(record, lepton), top, w_boson, quark, lepton, neutrino)


def find_w_decays(record: GeneratorRecord) -> Decays:
    """Return the leptons of the one W+ and the one W- of each event."""
    w_boson = np.stack([_decaying(record, W_BOSON), _decaying(record, -W_BOSON)], axis=-1)
    lepton, _ = _sort_daughters(record, w_boson, record.is_one_of(ELECTRON, MUON, TAU))
    return Decays(_visible_lepton(record, lepton))


def find_z_decays(record: GeneratorRecord) -> Decays:
    """Return the leptons of the one Z boson, or photon, of each event."""
    lepton = record.daughters[_decaying(record, Z_BOSON)]
    positive_first = np.argsort(record.pdg_id[lepton], axis=-1)  # a lepton's number is positive
    return Decays(_visible_lepton(record, np.take_along_axis(lepton, positive_first, axis=-1)))


def last_copy(record: GeneratorRecord, index: Indices) -> Indices:
    """Return where the same particles are after all their radiation and recoil."""
    while True:
        daughters = record.daughters[index]
        is_copy = (daughters != NOBODY) & (
            record.pdg_id[daughters] == record.pdg_id[index][..., np.newaxis]
        )
        copy = np.where(is_copy[..., 0], daughters[..., 0], daughters[..., 1])
        followed = np.where(is_copy.any(axis=-1), copy, index)
        if np.array_equal(followed, index):
            return index
        index = followed


def _decaying(record: GeneratorRecord, pdg_id: int) -> Indices:
    copies = np.flatnonzero(record.pdg_id == pdg_id)
    last = np.unique(last_copy(record, copies))
    if not np.array_equal(record.event[last], np.arange(record.events)):
        raise RootflowError(f"a generated event has not just one decaying particle {pdg_id}")
    return last


def _sort_daughters(
    record: GeneratorRecord, mother: Indices, is_wanted: NDArray[np.bool_]
) -> tuple[Indices, Indices]:
    first, last = np.moveaxis(record.daughters[mother], -1, 0)
    wanted = np.where(is_wanted[first], first, last)
    return wanted, first + last - wanted


def _visible_lepton(record: GeneratorRecord, lepton: Indices) -> Indices:
    final = last_copy(record, lepton)
    is_tau = np.abs(record.pdg_id[final]) == TAU
    return np.where(is_tau, _lepton_of_decay(record, final), final)


def _lepton_of_decay(record: GeneratorRecord, tau: Indices) -> Indices:
    is_lepton = record.is_one_of(ELECTRON, MUON)
    first, last = np.moveaxis(record.daughters[tau], -1, 0)
    found = np.full(tau.shape, NOBODY)
    for step in range(int((last - first).max(initial=0)) + 1):
        daughter = first + step
        is_it = (first != NOBODY) & (daughter <= last) & is_lepton[np.minimum(daughter, last)]
        found = np.where(is_it, daughter, found)
    return found
