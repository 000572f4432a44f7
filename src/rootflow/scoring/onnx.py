"""An exported ONNX file that keeps the Scorer contract."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.dataset.folds import fold_of
from rootflow.dataset.seen import batches, refuse_other_features, refuse_seen
from rootflow.errors import InputError
from rootflow.exported.checking import refuse_other_outputs
from rootflow.exported.code import OtherCode, check_code
from rootflow.exported.session import answers, open_exported
from rootflow.scoring.contract import Scores


class OnnxScorer:
    """An ONNX file of `rootflow export`, applied to the events that it has not seen.

    The file of all folds takes every event: each is scored by the model that has not seen
    its fold. That of one fold takes only the events of that fold.

    Parameters
    ----------
    path
        The file.
    name
        Under which its metrics are logged; none: as the file says.
    threads
        Of onnxruntime within one operation.
    allow_seen_events
        Also score events of the training's folds, as for a look at overtraining.
    other_code
        As in `rootflow.exported.FoldedModel`.

    Attributes
    ----------
    contract
        What the file says of itself.
    other_code
        As in `rootflow.exported.FoldedModel`.

    Raises
    ------
    InputError
        The file is not there, is not ONNX, is cut short or is no classifier of rootflow's.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str | None = None,
        threads: int = 1,
        allow_seen_events: bool = False,
        other_code: OtherCode = "refuse",
    ) -> None:
        self._path = path
        self._allow_seen_events = allow_seen_events
        self._session, contract = open_exported(path, threads)
        if contract.task != "classification":
            raise InputError(
                f"{path}: this model of the analysis {contract.analysis} assigns jets and gives "
                "no score; give the file of a classifier"
            )
        refuse_other_outputs(contract, path)
        self.contract = contract
        self.other_code = check_code(contract, str(path), other_code)
        self.name = name or contract.model

    def score(self, events: Events) -> Scores:
        """Return (n,) the probability of signal of each event.

        Raises
        ------
        InputError
            The model was trained on the fold of some of the events, or the events do not
            have the features that the file takes.
        """
        wanted = self.contract.features
        found = {name: events.features.get(name, ()) for name in wanted}
        refuse_other_features(str(self._path), found, wanted)
        if self.contract.held_out is not None and not self._allow_seen_events:
            refuse_seen(self.name, events, self.contract.unseen)
        return np.concatenate([self._score(batch) for batch in batches(events)])

    def _score(self, events: Events) -> Scores:
        arrays = events.inputs()
        feeds: dict[str, NDArray[Any]] = {
            name: np.ascontiguousarray(arrays[name]) for name in self.contract.features
        }
        if self.contract.held_out is None:
            feeds["fold"] = fold_of(events.fold_numbers, self.contract.folds).astype(np.int64)
        said = answers(self._session, self.contract.outputs, feeds, self._path)
        return np.asarray(said["score"][:, 0], np.float64)
