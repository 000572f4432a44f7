"""Exported files as a method."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.dataset.folds import taken_by
from rootflow.exported import FoldedModel
from rootflow.exported.contract import OnnxContract, OtherCode
from rootflow.methods.contract import Outputs
from rootflow.methods.model import Model, next_fold, of_folds

# What turns the GeV of rootflow's events into the unit of a feature; none: as it is.
FACTORS = {"MeV": np.float32(1000)}


class OnnxMethod(FoldedModel, Model):
    """ONNX files of `rootflow export`: each event by the model that was not trained on it.

    Without a name it is logged as the files say. With `allow_seen_events` it also answers events
    of the training's folds, as for a look at over-training. `trained_on_these` says whether it is
    the simulated events of its training that it will be asked of: only then it is known which of
    its models were trained on them. All else is as of `rootflow.exported.FoldedModel`.
    """

    parameters = None  # not known: a file's constants are more than what was fitted

    def __init__(
        self,
        *paths: Path | str,
        name: str | None = None,
        threads: int = 1,
        other_code: OtherCode = "refuse",
        allow_seen_events: bool = False,
        trained_on_these: bool = False,
    ) -> None:
        super().__init__(*paths, threads=threads, other_code=other_code)
        self.name = name or self.name
        self.task = self.contract.task
        self.trained_on_these = trained_on_these
        self._allow_seen_events = allow_seen_events

    def outputs(self, events: Events) -> Outputs:
        """Return what the models say, each event by the one that was not trained on it."""
        return self._outputs(events, fold=None, allow_seen_events=self._allow_seen_events)

    def outputs_seen(self, events: Events) -> Outputs | None:
        """Return the same by the model of the next fold, which was trained on the event."""
        count = self.folding.count
        if not self.trained_on_these or len(self.held_out) < count:
            return None
        return of_folds(
            next_fold(events, self.folding),
            range(count),
            lambda fold, index: self._outputs(
                events.take(index), fold=fold, allow_seen_events=True
            ),
        )

    def _outputs(self, events: Events, *, fold: int | None, allow_seen_events: bool) -> Outputs:
        contract = self.contract
        jets = contract.slots.get("jets") if "jets" in events.masks else None
        taken = taken_by(self.name, events, contract.features, jets)
        return self.predict(
            feeds_of(contract, taken.inputs()),
            taken.fold_numbers,
            fold=fold,
            allow_seen_events=allow_seen_events,
        )


def feeds_of(contract: OnnxContract, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the arrays of `Events.inputs`, in GeV, that a model takes, in its contract's units."""
    features = {tensor.name: tensor.features for tensor in contract.inputs}
    feeds = {}
    for name, array in inputs.items():
        if name not in features:  # a classifier may look at no lepton, or at nothing else
            continue
        factors = [FACTORS.get(feature.unit, np.float32(1)) for feature in features[name]]
        scaled = array * np.array(factors) if set(factors) - {1} else array
        feeds[name] = np.ascontiguousarray(scaled)
    return feeds
