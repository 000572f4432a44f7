"""Files of one branch map, read as an analysis asks for, and their selected events as arrays."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config.data import FoldingConfig
from rootflow.dataset.events import Events, Features
from rootflow.dataset.folds import fold_of
from rootflow.dataset.formulas import EventsLeft, Formulas
from rootflow.dataset.reading import Reading, scattered
from rootflow.errors import UsageError
from rootflow.formats import Table
from rootflow.formats.table import WHOLE, Share
from rootflow.ntuple import BranchMap, Chunk, Feature, features_of, load_branch_map
from rootflow.ntuple.branch_map import Leptons
from rootflow.ntuple.objects import NONE, Objects, Places, mask_name, places_where
from rootflow.ntuple.reading import Expectation, chunks_of, open_events, read_entries
from rootflow.ntuple.sums_of_weights import BesideEvents, sum_of_weights
from rootflow.ntuple.units import TruthMap
from rootflow.places import Place

# What the cutflow calls the condition on events of the branch map.
FILTERS = "branch map: where"

Cutflow = dict[str, tuple[int, float]]
"""Events and sum of weights left after each cut, in order."""


class Selected(NamedTuple):
    """What is left of a chunk.

    `arrays` are those of the k selected events, by the names of `Events`. The cutflow is of all
    events; `passed` (n,) uint8 counts the cuts that each passes before one that it does not. `kept`
    (k,) are the places of the selected ones. `slots` (k, slots) say by collection where in the
    chunk's table the object of each slot is, -1 of none.
    """

    arrays: dict[str, NDArray[Any]]
    slots: dict[str, Places]
    cutflow: Cutflow
    passed: NDArray[np.uint8]
    kept: Places


class Entries(NamedTuple):
    """What is selected of n events of a file, without a dataset.

    The events are in folds, with a file_index of 0 and neither sample nor label; `selected` (n,)
    bool are their places. `places` (k, slots) int32 say by collection where the object of each slot
    is in the event's own list, from 0; -1 of none.
    """

    events: Events
    selected: NDArray[np.bool_]
    places: dict[str, NDArray[np.int32]]


class EventReader:
    """Files of one branch map (its name, path, entries or itself), read as an analysis asks for.

    Collisions are read without weights and truth. `whole` is what the map names and `branch_map`
    what of it is read; `features` are those of each collection, met and event, in the order of the
    arrays. A map that lacks what the reading, a feature or a cut needs is a UsageError.
    """

    def __init__(
        self,
        reading: Reading,
        branch_map: str | dict[str, Any] | BranchMap,
        collisions: bool = True,
    ) -> None:
        map_name = branch_map if isinstance(branch_map, str) else "given"
        self.reading = reading
        if not isinstance(branch_map, BranchMap):
            branch_map = load_branch_map(branch_map)
        self.whole = whole = branch_map
        needs = set(reading.needs(whole, map_name))
        self._formulas = Formulas(whole, reading.event_features(whole), reading, map_name)
        self.branch_map = _narrowed(whole, reading, needs | self._formulas.needs)
        if collisions:
            self.branch_map = self.branch_map.as_of_collisions()
        known = features_of(whole)
        kept = [*reading.kept(), *(["met"] if reading.met and whole.met is not None else [])]
        self.features = {
            **{name: (*known[name], *self._formulas.of(name)) for name in kept},
            "event": (*reading.event_features(whole), *self._formulas.of("event")),
        }

    def chunks(self, path: Place) -> Iterator[tuple[Chunk, Selected]]:
        """Yield the events of one file in its order, and what is selected of them."""
        with self.open(path) as table:
            yield from self.share(table)

    def open(self, path: Place) -> AbstractContextManager[Table]:
        """Return what opens a file for `share`."""
        return open_events(path, self.branch_map)

    def share(
        self,
        table: Table,
        share: Share = WHOLE,
        expectation: Expectation = Expectation(),  # noqa: B008 - nothing changes it
    ) -> Iterator[tuple[Chunk, Selected]]:
        """Yield the events of a share of an open file, and what is selected of them.

        The expectation is what the shares before it said.
        """
        chunk_bytes = self.reading.chunk_bytes
        for chunk in chunks_of(table, self.branch_map, chunk_bytes, share, expectation):
            yield chunk, self.select(chunk)

    def expectation(self, path: Place, of_events: Expectation) -> Expectation:
        """Return what a file says of its sample, of which its events said this."""
        where = self.branch_map.sum_of_weights
        if isinstance(where, BesideEvents):
            return of_events._replace(sum_of_weights=sum_of_weights(path, where))
        return of_events

    def entries(self, tree: Table, folds: FoldingConfig, start: int, stop: int) -> Entries:
        """Return what is selected of the entries of a tree from start to before stop."""
        chunk = read_entries(tree, self.branch_map, start, stop)
        selected = self.select(chunk)
        number = selected.arrays["event_number"]
        events = Events(
            features=names_of(self.features),
            **selected.arrays,
            file_index=np.zeros(len(number), dtype=np.int32),
            fold=fold_of(selected.arrays.get("fold_number", number), folds),
        )
        is_selected = selected.passed == len(selected.cutflow)
        places = {
            name: _in_lists(chunk.objects[name], slots, selected.kept)
            for name, slots in selected.slots.items()
        }
        return Entries(events, is_selected, places)

    def select(self, chunk: Chunk) -> Selected:
        """Return the events of a chunk that pass every cut."""
        accepted = self.reading.accept(chunk)
        cuts = dict(accepted.cuts)
        if chunk.passes is not None:
            (everything, passes), *others = cuts.items()
            cuts = {everything: passes, FILTERS: chunk.passes, **dict(others)}
        places = np.flatnonzero(np.all(list(cuts.values()), axis=0))
        left = EventsLeft(chunk, accepted, places)
        for name in self._formulas.cuts:
            if name in cuts:
                raise UsageError(f"data.cuts: the selection has a cut '{name}': choose another")
            passes = self._formulas.passes(name, left)
            cuts[name] = scattered(passes, left.places, len(chunk))
            left = left._replace(places=left.places[passes])
        cutflow, passed = apply(cuts, chunk.weight)
        arrays, slots = self._arrays(left)
        return Selected(arrays, slots, cutflow, passed, left.places)

    def _arrays(self, left: EventsLeft) -> tuple[dict[str, NDArray[Any]], dict[str, Places]]:
        """Return the arrays, and where the objects in the slots are, as `Selected` has them."""
        chunk, accepted, kept = left
        derived = self._formulas.values(left)
        arrays: dict[str, NDArray[Any]] = {}
        slots: dict[str, Places] = {}
        for name, count in self.reading.kept().items():
            fixed = accepted.slots.get(name)
            slots[name] = (
                accepted.objects[name].slots(count, kept)
                if fixed is None
                else fixed.take(kept, axis=0)
            )
            table = chunk.objects[name]
            own = [feature.name for feature in self.features[name]]
            more = {each: derived[f"{name}.{each}"] for each in own if f"{name}.{each}" in derived}
            table = table._replace(columns={**table.columns, **more})
            arrays[name] = table.rows(slots[name], own)
            if fixed is None:
                arrays[mask_name(name)] = slots[name] != NONE
        if self.reading.met and chunk.met is not None:
            arrays["met"] = chunk.met.take(kept, axis=0)
        event: dict[str, NDArray[Any]] = {**chunk.event, **accepted.computed}
        event = {name: values[kept] for name, values in event.items()} | derived
        arrays["event"] = np.empty((len(kept), len(self.features["event"])), dtype=np.float32)
        for place, feature in enumerate(self.features["event"]):
            arrays["event"][:, place] = event[feature.name]
        arrays["weight"] = chunk.weight.take(kept)
        arrays |= chunk.rows.identity.arrays(kept)
        arrays |= _beside(chunk, slots.get("jets"), kept)
        return arrays, slots


def names_of(features: Mapping[str, Sequence[Feature]]) -> Features:
    """Return the names of the features of each collection, in their order."""
    return {
        collection: tuple(feature.name for feature in of_collection)
        for collection, of_collection in features.items()
    }


def add(total: Cutflow, part: Cutflow) -> Cutflow:
    """Return the cutflow of the events of both."""
    return {
        name: (total.get(name, (0, 0.0))[0] + events, total.get(name, (0, 0.0))[1] + weight)
        for name, (events, weight) in part.items()
    }


def apply(
    cuts: Mapping[str, NDArray[np.bool_]], weight: NDArray[np.float64]
) -> tuple[Cutflow, NDArray[np.uint8]]:
    """Return the cutflow, and how many cuts each event passes."""
    passes = np.ones(len(weight), dtype=np.bool_)
    passed = np.zeros(len(weight), dtype=np.uint8)
    cutflow: Cutflow = {}
    for name, cut in cuts.items():
        passes &= cut
        passed += passes
        with np.errstate(over="ignore", invalid="ignore"):  # an infinite sum is refused
            cutflow[name] = (int(passes.sum()), float(weight[passes].sum()))
    return cutflow, passed


def _narrowed(whole: BranchMap, reading: Reading, needs: Collection[str]) -> BranchMap:
    """Return the map of what is read: of objects and quantities those that are needed."""
    read = {*reading.kept(), *(name.partition(".")[0] for name in needs)}
    left = [*read]
    while left:
        blocks = whole.blocks().get(left.pop(), ())
        more = {other for block in blocks for other in block.apart_from} - read
        read |= more
        left += more
    leptons = [block.model_copy(update=_not_needed(block, needs)) for block in whole.leptons]
    has_leptons = "leptons" in read
    return whole.model_copy(
        update={
            "jets": whole.jets if "jets" in read else [],
            "leptons": leptons if has_leptons else [],
            "slots": whole.slots if has_leptons else None,
            "masses": whole.masses if has_leptons else {},
            "collections": {
                name: blocks for name, blocks in whole.collections.items() if name in read
            },
            "met": whole.met if reading.met or "met" in read else None,
            "truth": whole.truth if reading.truth else TruthMap(),
            "jet_n": whole.jet_n if "jet_n" in needs else None,
            "triggers": [each for each in whole.triggers if each.branch in needs],
        }
    )


def _not_needed(block: Leptons, needs: Collection[str]) -> dict[str, None]:
    """Return what is not read of leptons, by name: neither needed nor in their condition."""
    asked = set() if block.where is None else set(block.where.columns())
    return {
        name: None
        for name, column in block.quantities().items()
        if f"leptons.{name}" not in needs and column.branch not in asked
    }


def _beside(chunk: Chunk, jets: Places | None, kept: Places) -> dict[str, NDArray[Any]]:
    """Return truth, other reconstructions and systematic weights of the selected events.

    `jets` (k, slots) are where in the chunk's table those in the slots are.
    """
    arrays = {name: array.take(kept, axis=0) for name, array in chunk.beside.items()}
    arrays.pop("dileptonic", None)
    index = arrays.pop("jet_index", None)
    if index is not None and jets is not None:
        table = chunk.objects["jets"]
        # The last place is that of no jet.
        slot = np.full(table.n_objects + 1, NONE, dtype=np.int32)
        slot[jets] = np.arange(jets.shape[1], dtype=np.int32)
        slot[NONE] = NONE
        place = places_where(index != NONE, table.offsets[kept, np.newaxis] + index)
        arrays = {"assignment": slot[place], **arrays}
    return arrays


def _in_lists(table: Objects, slots: Places, kept: Places) -> NDArray[np.int32]:
    """Return where the objects in the slots of the kept events are in the list of their event."""
    in_list = slots - table.offsets[kept, np.newaxis]
    return places_where(slots != NONE, in_list).astype(np.int32)
