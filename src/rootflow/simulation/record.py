"""The generator's event record as flat arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import awkward as ak
import numpy as np
import vector
from numpy.typing import NDArray

NOBODY = -1

# vector's arrays of momenta: its types do not survive indexing.
Momenta = Any


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
                {
                    "px": _flat(momentum.px),
                    "py": _flat(momentum.py),
                    "pz": _flat(momentum.pz),
                    "E": _flat(momentum.e),
                }
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
        flat = ak.zip(
            {"px": momentum.px, "py": momentum.py, "pz": momentum.pz, "E": momentum.E},
            with_name="Momentum4D",
        )
        return ak.unflatten(flat, np.bincount(self.event[chosen], minlength=self.events))


def with_fields(momenta: Momenta, fields: Mapping[str, Any]) -> ak.Array:
    """Return momenta as records of awkward, with more fields."""
    polar = {name: getattr(momenta, name) for name in ("pt", "eta", "phi", "mass")}
    return ak.zip({**polar, **fields}, with_name="Momentum4D")


def _flat(jagged: ak.Array) -> Any:
    return ak.to_numpy(ak.flatten(jagged))
