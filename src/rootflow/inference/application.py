"""A model, and how the entries of a ntuple become new branches of it."""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.analysis import TaskName, analysis_named
from rootflow.dataset.event_reader import EventReader
from rootflow.dataset.events import Events
from rootflow.errors import InputError, UsageError
from rootflow.exported.contract import OnnxContract, OtherCode
from rootflow.formats import Table, open_table
from rootflow.methods.contract import Outputs
from rootflow.methods.exported import FACTORS, OnnxMethod
from rootflow.methods.model import reconstruction
from rootflow.methods.reconstruction.objects import at, four_momenta
from rootflow.ntuple import BranchMap, fold_number_fault
from rootflow.physics.kinematics import invariant_mass
from rootflow.physics.ttbar import top_pair, ttbar_mass
from rootflow.places import Place

SeenEvents = Literal["refuse", "skip", "score"]
Columns = dict[str, NDArray[Any]]

NONE = -1
PAIR = ("b_index", "bbar_index", "probability")
NEUTRINOS = tuple(
    f"{particle}_{axis}" for particle in ("neutrino", "antineutrino") for axis in ("px", "py", "pz")
)
MASSES = ("top_mass", "antitop_mass", "ttbar_mass")
CONFIDENCE = "confidence"
Places = Mapping[str, NDArray[np.int32]]


class Setting(NamedTuple):
    """What decides the new branches of an entry.

    Their names begin with the given one, or the model's. The branch map, a map's name or path, says
    how the ntuples are read instead of the contract. Events that the model was trained on, by their
    numbers, are an error, have no score, or one like any others, as is right where nothing was
    trained on. `other_code` is as in `rootflow.exported.FoldedModel`.
    """

    models: tuple[Path, ...]
    branch_map: str | None = None
    name: str | None = None
    seen_events: SeenEvents = "refuse"
    other_code: OtherCode = "refuse"


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


class Application:
    """A model with all that it takes to apply it to ntuples.

    `prefix` begins the names of the new `branches`, the last of them whose model was applied (-1:
    none) and whether an entry is selected; `reading` is plain data that say how entries are read
    and selected. Its branch map may say that another number than the event's decides the fold. A
    map that does not name what the model needs is a UsageError.
    """

    def __init__(
        self, model: OnnxMethod, setting: Setting, branch_map: str | dict[str, Any]
    ) -> None:
        contract = model.contract
        self.model = model
        reading = analysis_named(contract.analysis).reading.model_validate(contract.selection)
        self._reader = EventReader(reading, branch_map)
        self._answers = ANSWERS[contract.task](contract, self._reader.branch_map)
        self._seen_events = setting.seen_events
        self.reading: dict[str, Any] = {
            "branch_map": self._reader.branch_map.model_dump(mode="json"),
            "selection": reading.model_dump(mode="json"),
            **self._answers.reading,
        }
        self.prefix = re.sub(r"\W", "_", setting.name or model.name)
        endings = (*self._answers.endings, "fold", "selected")
        self.branches = tuple(f"{self.prefix}_{ending}" for ending in endings)
        *_, self.fold_branch, self.selected_branch = self.branches

    def open(self, path: Place) -> AbstractContextManager[Table]:
        """Return the entries of a ntuple, of whichever format."""
        branch_map = self._reader.branch_map
        return open_table(path, branch_map.tree, branch_map.integers())

    def identity(self, table: Table) -> list[str]:
        """Return the branches of a ntuple that say which event an entry is, and in which fold."""
        there = table.names()
        return [name for name in self._reader.branch_map.integers() if name in there]

    def columns(self, tree: Table, start: int, stop: int) -> Columns:
        """Return the new branches of the entries from start to before stop, (n,) each.

        Where there is no answer it is NaN, or -1 in branches of integers. Events that the model
        was trained on are an InputError, unless the setting says otherwise.
        """
        read = self._reader.entries(tree, self.model.folding, start, stop)
        scored = self._scored(tree.path, read.events)
        events = read.events.take(scored)
        slots = {name: places[scored] for name, places in read.places.items()}
        answers = self._answers.columns(self.model.outputs(events), events, slots)
        answers.append(self.model.chosen(events.fold_numbers))
        places = np.flatnonzero(read.selected)[scored]
        filled = [_at(places, values, len(read.selected)) for values in answers]
        return dict(zip(self.branches, [*filled, read.selected], strict=True))

    def _scored(self, path: Place, events: Events) -> NDArray[np.bool_]:
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


def load_application(setting: Setting) -> Application:
    """Return the model of a setting, with all that it takes to apply it.

    A branch map that is not there, does not name what the selection needs, or has the folds
    decided by something else, is a UsageError.
    """
    model = OnnxMethod(
        *setting.models,
        other_code=setting.other_code,
        allow_seen_events=setting.seen_events == "score",
    )
    own, given = model.contract.branch_map, setting.branch_map
    if given is None:
        return Application(model, setting, own)
    application = Application(model, setting, given)
    if setting.seen_events != "score" and (fault := fold_number_fault(given, own)):
        raise UsageError(
            f"branch map {given}: {fault}; or --seen-events score, for collisions and others that "
            f"were not in the training"
        )
    return application


def _at(places: NDArray[np.int64], values: NDArray[Any], count: int) -> NDArray[Any]:
    """Return (count,) the values at their places, and no answer elsewhere."""
    missing = np.nan if values.dtype.kind == "f" else NONE
    column = np.full(count, missing, values.dtype)
    column[places] = values
    return column
