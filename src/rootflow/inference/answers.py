"""New branches from what models say: a writer of answers for each task."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.analysis import TaskName
from rootflow.dataset.events import Events
from rootflow.exported.contract import OnnxContract
from rootflow.methods.contract import Outputs
from rootflow.methods.exported import FACTORS
from rootflow.methods.model import reconstruction
from rootflow.methods.reconstruction.objects import at, four_momenta
from rootflow.ntuple import BranchMap
from rootflow.physics.kinematics import invariant_mass
from rootflow.physics.ttbar import top_pair, ttbar_mass

PAIR = ("b_index", "bbar_index", "probability")
NEUTRINOS = tuple(
    f"{particle}_{axis}" for particle in ("neutrino", "antineutrino") for axis in ("px", "py", "pz")
)
MASSES = ("top_mass", "antitop_mass", "ttbar_mass")
CONFIDENCE = "confidence"
Places = Mapping[str, NDArray[np.int32]]


class Scores:
    """The score of a classifier: `endings` of branches, and `reading` that answers depend on."""

    endings: tuple[str, ...] = ("score",)

    def __init__(self, contract: OnnxContract, branch_map: BranchMap) -> None:  # noqa: ARG002 - as for the other task
        self.reading: dict[str, Any] = {}

    def columns(self, outputs: Outputs, events: Events, places: Places) -> list[NDArray[Any]]:  # noqa: ARG002
        """Return what is said of k events, (k,) for each of the endings.

        `places` (k, slots) say where the objects of the slots are among the ntuple's own.
        """
        return [outputs["score"][:, 0]]


class Reconstructions:
    """The jets of b and bbar, the neutrinos' momenta, and the masses that follow.

    Momenta and masses are in the unit that the branch map says of the pT of jets. Attributes are
    those of `Scores`.
    """

    def __init__(self, contract: OnnxContract, branch_map: BranchMap) -> None:
        unit = branch_map.jets[0].pt.unit
        self.reading = {"unit": unit}
        self._in_unit = FACTORS.get(unit, np.float32(1))
        self._extra = [each.name for each in contract.outputs if each.name == CONFIDENCE]
        self.endings = (*PAIR, *self._extra, *NEUTRINOS, *MASSES)

    def columns(self, outputs: Outputs, events: Events, places: Places) -> list[NDArray[Any]]:
        """Return what is said of k events, as `Scores.columns`; no jet is -1, no number NaN."""
        # The confidence has a branch of its own.
        pairs = {name: values for name, values in outputs.items() if name != CONFIDENCE}
        said = reconstruction(pairs, events.jet_mask)
        assert said.neutrinos is not None  # noqa: S101 - a network always has some
        tops = top_pair(
            at(four_momenta(events, "jets"), said.assignment),
            four_momenta(events, "leptons"),
            said.neutrinos,
        )
        masses = np.column_stack([invariant_mass(tops), ttbar_mass(tops)]) * self._in_unit
        return [
            *np.where(said.solved[:, np.newaxis], at(places["jets"], said.assignment), -1).T,
            said.scores,
            *(np.where(said.solved, outputs[name], np.float32(np.nan)) for name in self._extra),
            *(said.neutrinos.reshape(-1, len(NEUTRINOS)) * self._in_unit).T,
            *masses.astype(np.float32).T,
        ]


ANSWERS: dict[TaskName, type[Scores] | type[Reconstructions]] = {
    "classification": Scores,
    "reconstruction": Reconstructions,
}
