"""The generator's event record as flat arrays, and branches in MeV of what is in GeV."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np
import vector
from numpy.typing import NDArray

NOBODY = -1
MEV_PER_GEV = 1000.0

# vector's arrays of momenta: its types do not survive indexing.
Momenta = Any
Branches = dict[str, ak.Array | NDArray[np.int32] | NDArray[np.float32]]


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


def mev_branch(quantity: ak.Array | NDArray[np.float64]) -> ak.Array:
    """Return a branch in MeV, 32 bits as the experiments' ntuples have them, of what is in GeV."""
    return float_branch(quantity * MEV_PER_GEV)


def float_branch(quantity: ak.Array | NDArray[np.float64]) -> ak.Array:
    """Return a branch of 32 bit floats."""
    return ak.values_astype(quantity, np.float32)


def momentum_branches(prefix: str, momenta: ak.Array, suffix: str, energy: str) -> Branches:
    """Return the branches of momenta, phi from -pi on; the suffix is that of pT and energy."""
    return {
        f"{prefix}_pt{suffix}": mev_branch(momenta.pt),
        f"{prefix}_eta": float_branch(momenta.eta),
        f"{prefix}_phi": float_branch((momenta.phi + np.pi) % (2 * np.pi) - np.pi),
        f"{prefix}_{energy}{suffix}": mev_branch(momenta.E),
    }
