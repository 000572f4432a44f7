"""Classifiers of four-lepton events applied to ntuples."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.config import FourLeptonSelectionConfig
from rootflow.dataset.events import Events
from rootflow.dataset.four_leptons import entries
from rootflow.dataset.seen import refuse_other_features
from rootflow.exported import FoldedModel
from rootflow.exported.contract import OnnxContract
from rootflow.inference.application import Application, Columns, Read, Setting
from rootflow.ntuple import OpenTree
from rootflow.ntuple.four_leptons import load_four_lepton_map, quantities_for


class ClassifierApplication(Application):
    """A classifier, which gives each event a score.

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
        There is no such map, or it does not name what the selection needs.
    InputError
        It has not the features that the model takes.
    """

    endings = ("score",)

    def __init__(
        self, model: FoldedModel, setting: Setting, contract: OnnxContract, branch_map: str
    ) -> None:
        super().__init__(model, setting)
        self._map = load_four_lepton_map(branch_map)
        self._selection = FourLeptonSelectionConfig.model_validate(contract.selection)
        self._quantities = quantities_for(self._selection, self._map, branch_map)
        self.tree = self._map.tree
        self.reading = {
            "branch_map": self._map.model_dump(mode="json"),
            "selection": self._selection.model_dump(mode="json"),
        }

    def _read(self, tree: OpenTree, start: int, stop: int) -> Read:
        events, selected = entries(
            tree, self._map, self._quantities, self._selection, self.model.folding, start, stop
        )
        wanted = self.model.contract.features
        found = {name: events.features.get(name, ()) for name in wanted}
        refuse_other_features(self.model.name, found, wanted)
        return Read(events, selected, np.empty((len(events), 0), np.int32))

    def _answers(
        self,
        outputs: Columns,
        events: Events,  # noqa: ARG002 - as the base asks for it
        jet_places: NDArray[np.int32],  # noqa: ARG002
    ) -> dict[str, NDArray[Any]]:
        return {"score": outputs["score"][:, 0]}
