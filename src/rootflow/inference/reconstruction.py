"""Networks that assign jets and give the neutrinos, applied to ntuples of ttbar."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.dataset.seen import taken_by
from rootflow.exported import FoldedModel
from rootflow.exported.contract import OnnxContract
from rootflow.exported.feeds import FACTORS
from rootflow.inference.application import Application, Columns, Read, Setting, reader_of
from rootflow.methods.answers import reconstruction
from rootflow.methods.reconstruction.objects import at, four_momenta
from rootflow.ntuple import OpenTree
from rootflow.physics.kinematics import invariant_mass
from rootflow.physics.ttbar import top_pair, ttbar_mass

PAIR = ("b_index", "bbar_index", "probability")
NEUTRINOS = tuple(
    f"{particle}_{axis}" for particle in ("neutrino", "antineutrino") for axis in ("px", "py", "pz")
)
MASSES = ("top_mass", "antitop_mass", "ttbar_mass")
CONFIDENCE = "confidence"


class ReconstructionApplication(Application):
    """A network that assigns jets to b and bbar, and gives the momenta of the neutrinos.

    Momenta and masses are in the unit that the branch map says of the pT of jets.

    Parameters
    ----------
    model, setting
        As in `Application`.
    contract
        What the model says of itself.
    branch_map
        A map's name or path.

    Raises
    ------
    UsageError
        There is no such map.
    """

    def __init__(
        self,
        model: FoldedModel,
        setting: Setting,
        contract: OnnxContract,
        branch_map: str,
    ) -> None:
        super().__init__(model, setting)
        self._reader = reader_of(contract, branch_map)
        self._max_jets = contract.slots["jets"]
        self._has_confidence = any(tensor.name == CONFIDENCE for tensor in contract.outputs)
        unit = self._reader.branch_map.jets[0].pt.unit
        self._in_unit = FACTORS.get(unit, np.float32(1))
        self.tree = self._reader.branch_map.tree
        self.reading = {
            "branch_map": self._reader.branch_map.model_dump(mode="json"),
            "selection": self._reader.reading.settings,
            "unit": unit,
        }

    @property
    def endings(self) -> tuple[str, ...]:
        """What the names of the new branches end in."""
        return (*PAIR, *([CONFIDENCE] if self._has_confidence else []), *NEUTRINOS, *MASSES)

    def _read(self, tree: OpenTree, start: int, stop: int) -> Read:
        read = self._reader.entries(tree, self.model.folding, start, stop)
        contract = self.model.contract
        taken_by(self.model.name, read.events, contract.features, self._max_jets)
        return Read(read.events, read.selected, read.places["jets"])

    def _answers(
        self, outputs: Columns, events: Events, jet_places: NDArray[np.int32]
    ) -> dict[str, NDArray[Any]]:
        # The confidence has a branch of its own.
        pairs = {name: values for name, values in outputs.items() if name != CONFIDENCE}
        said = reconstruction(pairs, events.jet_mask)
        assert said.neutrinos is not None  # noqa: S101 - a network always has some
        columns = [*np.where(said.solved[:, np.newaxis], at(jet_places, said.assignment), -1).T]
        columns.append(said.scores)
        if self._has_confidence:
            columns.append(np.where(said.solved, outputs[CONFIDENCE], np.float32(np.nan)))
        columns += [*(said.neutrinos.reshape(-1, len(NEUTRINOS)) * self._in_unit).T]
        tops = top_pair(
            at(four_momenta(events, "jets"), said.assignment),
            four_momenta(events, "leptons"),
            said.neutrinos,
        )
        masses = np.column_stack([invariant_mass(tops), ttbar_mass(tops)]) * self._in_unit
        columns += [*masses.astype(np.float32).T]
        return dict(zip(self.endings, columns, strict=True))
