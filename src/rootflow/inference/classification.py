"""Classifiers of four-lepton events applied to ntuples."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.dataset.seen import refuse_other_features
from rootflow.exported import FoldedModel
from rootflow.exported.contract import OnnxContract
from rootflow.inference.application import Application, Columns, Read, Setting, reader_of
from rootflow.ntuple import OpenTree


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
        self._reader = reader_of(contract, branch_map)
        self.tree = self._reader.branch_map.tree
        self.reading = {
            "branch_map": self._reader.branch_map.model_dump(mode="json"),
            "selection": self._reader.reading.settings,
        }

    def _read(self, tree: OpenTree, start: int, stop: int) -> Read:
        events, selected, _ = self._reader.entries(tree, self.model.folding, start, stop)
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
