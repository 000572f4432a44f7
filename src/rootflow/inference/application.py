"""A model, and how the entries of a ntuple become new branches of it."""

import re
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.analysis import analysis_named
from rootflow.dataset.event_reader import EventReader
from rootflow.dataset.events import Events
from rootflow.errors import InputError
from rootflow.exported import FoldedModel
from rootflow.exported.code import OtherCode
from rootflow.exported.contract import OnnxContract
from rootflow.exported.feeds import feeds_of
from rootflow.ntuple import OpenTree

SeenEvents = Literal["refuse", "skip", "score"]
Columns = dict[str, NDArray[Any]]

NONE = -1


class Setting(NamedTuple):
    """What decides the new branches of an entry.

    Attributes
    ----------
    models
        The ONNX files of the model.
    branch_map
        How the ntuples are read, instead of how the contract says; a map's name or path.
    name
        That new branches begin with; none: the model's.
    seen_events
        What becomes of events that the model was trained on, by their numbers: an error, no
        score, or a score like any others, as is right where nothing was trained on.
    other_code
        As in `rootflow.exported.FoldedModel`.
    """

    models: tuple[Path, ...]
    branch_map: str | None = None
    name: str | None = None
    seen_events: SeenEvents = "refuse"
    other_code: OtherCode = "refuse"


class Read(NamedTuple):
    """The k selected events of n entries.

    Attributes
    ----------
    selected
        (n,) bool, which entries they are.
    jet_places
        (k, max_jets) int32, where the jet of each slot is among the ntuple's own.
    """

    events: Events
    selected: NDArray[np.bool_]
    jet_places: NDArray[np.int32]


def reader_of(contract: OnnxContract, branch_map: str) -> EventReader:
    """Return what reads events as those of a model's training, but as collisions are.

    Raises
    ------
    UsageError
        There is no such map, or it does not name what the model needs.
    """
    reading = analysis_named(contract.analysis).reading.from_settings(contract.selection)
    return EventReader(reading, branch_map)


class Application(ABC):
    """A model with all that it takes to apply it to ntuples.

    Parameters
    ----------
    model
        The model.
    setting
        The rest.

    Attributes
    ----------
    tree
        Name of the ntuples' tree; None: the only one.
    reading
        Plain data that say how entries are read and selected, and the unit of momenta.
    """

    tree: str | None
    reading: dict[str, Any]

    def __init__(self, model: FoldedModel, setting: Setting) -> None:
        self.model = model
        self._prefix = re.sub(r"\W", "_", setting.name or model.name)
        self._seen_events = setting.seen_events

    @property
    def branches(self) -> tuple[str, ...]:
        """The names of the new branches."""
        return tuple(f"{self._prefix}_{ending}" for ending in (*self.endings, "fold", "selected"))

    @property
    def has_fold_numbers(self) -> bool:
        """Whether its branch map says that another number than the event's decides the fold."""
        return self.reading["branch_map"]["fold_number"] is not None

    @property
    def selected_branch(self) -> str:
        """The name of the branch that says whether an entry is selected."""
        return self.branches[-1]

    @property
    def fold_branch(self) -> str:
        """The name of the branch that says whose model was applied, -1 where none was."""
        return self.branches[-2]

    def columns(self, tree: OpenTree, start: int, stop: int) -> Columns:
        """Return the new branches of the entries from start to before stop, (n,) each.

        Where there is no answer it is NaN, or -1 in branches of integers.

        Raises
        ------
        InputError
            Something is wrong with what the file holds, or the model was trained on some of
            the events.
        """
        read = self._read(tree, start, stop)
        scored = self._scored(tree.path, read.events)
        events = read.events.take(scored)
        contract = self.model.contract
        outputs = self.model.predict(
            feeds_of(contract, events.taking(contract.features).inputs()),
            events.fold_numbers,
            allow_seen_events=self._seen_events == "score",
        )
        answers = self._answers(outputs, events, read.jet_places[scored])
        answers["fold"] = self.model.chosen(events.fold_numbers)
        places = np.flatnonzero(read.selected)[scored]
        filled = [_at(places, values, len(read.selected)) for values in answers.values()]
        return dict(zip(self.branches, [*filled, read.selected], strict=True))

    @property
    @abstractmethod
    def endings(self) -> tuple[str, ...]:
        """What the names of the model's own new branches end in."""

    @abstractmethod
    def _read(self, tree: OpenTree, start: int, stop: int) -> Read:
        """Return the selected events of these entries."""

    @abstractmethod
    def _answers(
        self, outputs: Columns, events: Events, jet_places: NDArray[np.int32]
    ) -> dict[str, NDArray[Any]]:
        """Return what the model says of k events, (k,) by ending."""

    def _scored(self, path: Path, events: Events) -> NDArray[np.bool_]:
        """Return (k,) which of the selected events the model is applied to."""
        unseen = self.model.unseen(events.fold_numbers)
        if self._seen_events == "refuse" and not unseen.all():
            held_out = ", ".join(map(str, self.model.held_out))
            raise InputError(
                f"{path}: {events.in_words(int(np.argmin(unseen)))} is in a fold that "
                f"{self.model.name} was trained on: there is only the model of fold {held_out} of "
                f"{self.model.folding.count}. Give the models of all folds; or --seen-events skip, "
                "which leaves such events without a score; or --seen-events score, for collisions "
                "and others that were not in the training"
            )
        return np.ones_like(unseen) if self._seen_events == "score" else unseen


def _at(places: NDArray[np.int64], values: NDArray[Any], count: int) -> NDArray[Any]:
    """Return (count,) the values at their places, and no answer elsewhere."""
    missing = np.nan if values.dtype.kind == "f" else NONE
    column = np.full(count, missing, values.dtype)
    column[places] = values
    return column
