"""Derived features and cuts of a map and a configuration, evaluated on the events left."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.config.data import ReadingConfig
from rootflow.errors import UsageError
from rootflow.ntuple import BranchMap, Chunk, Feature, features_of
from rootflow.ntuple.expressions import Expression, Lookup, Quantity, parse_cut, parse_features
from rootflow.ntuple.features import unit_of
from rootflow.ntuple.objects import Objects, Places

UNITS = ("GeV", "rad", "none")
COUNT = "n_"
Computed = Mapping[str, NDArray[np.float64]]


class Formulas:
    """The expressions of a map and a configuration, checked.

    They may name all of the map and the features of the event that the analysis computes. `needs`
    is what they read: names of features, COLLECTION.FEATURE, triggers.
    """

    def __init__(
        self,
        branch_map: BranchMap,
        event: Sequence[Feature],
        config: ReadingConfig,
        map_name: str,
    ) -> None:
        names = _names(branch_map, event)
        where = f"branch map {map_name}: event"
        self._features = parse_features(branch_map.derived(), names, where)
        names |= _quantities(self._features)
        self._features |= parse_features(config.features, names, "data.features")
        for name, feature in self._features.items():
            if feature.unit not in UNITS:
                raise UsageError(
                    f"{feature.where}: its unit is {feature.unit}, and that of a feature is one "
                    f"of {', '.join(UNITS)}: divide '{name}' by what makes it one"
                )
        names |= _quantities(self._features)
        self._cuts = {
            name: parse_cut(text, names, f"data.cuts.{name}") for name, text in config.cuts.items()
        }
        expressions = [*self._features.values(), *self._cuts.values()]
        used = {name for each in expressions for name in (*each.names, *each.collections)}
        beside = {each.name for each in event} | {each.branch for each in branch_map.triggers}
        counted = {name.removeprefix(COUNT) for name in used - beside if name.startswith(COUNT)}
        self.needs = used | (counted & set(branch_map.objects()))
        for name in config.objects:
            if name not in branch_map.objects():
                raise UsageError(f"data.objects: the branch map {map_name} names no {name}")

    def of(self, collection: str) -> tuple[Feature, ...]:
        """Return the derived features of a collection or of the event, in their order."""
        wanted = None if collection == "event" else collection
        return tuple(
            Feature(name=name.rpartition(".")[2], unit=feature.unit, branches=())
            for name, feature in self._features.items()
            if feature.collection == wanted
        )

    def cuts(
        self, chunk: Chunk, objects: Mapping[str, Objects], computed: Computed, events: Places
    ) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        """Yield each cut and (k,) which of the k events pass that have passed those before."""
        for name, cut in self._cuts.items():
            passes = _View(self._features, chunk, objects, computed, events).of(cut)
            yield name, passes
            events = events[passes]
            computed = {each: values[passes] for each, values in computed.items()}

    def values(
        self, chunk: Chunk, objects: Mapping[str, Objects], computed: Computed, events: Places
    ) -> dict[str, NDArray[np.float32]]:
        """Return the derived features of these events: (k,), or (objects,) of all objects."""
        found: dict[str, NDArray[np.float32]] = {}
        if self._features:
            view = _View(self._features, chunk, objects, computed, events)
            for name, feature in self._features.items():
                values = np.asarray(view.of(feature), dtype=np.float32)
                found[name] = values
                if feature.collection is not None:
                    found[name] = np.zeros(len(objects[feature.collection].event), np.float32)
                    found[name][view.chosen(feature.collection)] = values
        return found


class _View:
    """Some events of a chunk, as expressions see them."""

    def __init__(
        self,
        features: Mapping[str, Expression],
        chunk: Chunk,
        objects: Mapping[str, Objects],
        computed: Computed,
        events: Places,
    ) -> None:
        self._features, self._chunk, self._objects = features, chunk, objects
        self._computed, self._events = computed, events
        self._known: dict[str, NDArray[Any]] = {}
        self._row = np.full(len(chunk), -1)
        self._row[events] = np.arange(len(events))
        self._lookup = Lookup(
            self._values,
            {name: self._row[each.event[self.chosen(name)]] for name, each in objects.items()},
            len(events),
            lambda event, what: chunk.table.wrong_at(int(events[event]), what),
        )

    def of(self, expression: Expression) -> NDArray[Any]:
        """Return its values."""
        return expression.evaluate(self._lookup)

    def chosen(self, collection: str) -> NDArray[np.bool_]:
        """Return (objects,) which of the chunk's are of these events."""
        return self._row[self._objects[collection].event] >= 0

    def _values(self, name: str) -> NDArray[Any]:
        if name not in self._known:
            self._known[name] = self._read(name)
        return self._known[name]

    def _read(self, name: str) -> NDArray[Any]:
        collection, _, feature = name.rpartition(".")
        if name in self._features:
            return self.of(self._features[name])
        if name in self._computed:
            return self._computed[name]
        if collection == "met":
            assert self._chunk.met is not None  # noqa: S101 - it is needed, so it is read
            met: NDArray[np.float32] = self._chunk.met[self._events]
            return met[:, ("pt", "phi").index(feature)]
        if collection:
            return self._objects[collection].column(feature)[self.chosen(collection)]
        for named in (self._chunk.event, self._chunk.triggers):
            if name in named:
                return named[name][self._events]
        return self._objects[name.removeprefix(COUNT)].counts()[self._events]


def _names(branch_map: BranchMap, event: Sequence[Feature]) -> dict[str, Quantity]:
    """Return what expressions may name."""
    names = {}
    of_map = features_of(branch_map)
    for collection, blocks in branch_map.objects().items():
        names[f"{COUNT}{collection}"] = Quantity("none")
        for feature in of_map[collection]:
            names[f"{collection}.{feature.name}"] = Quantity(feature.unit, collection)
        for name, column in blocks[0].quantities().items():
            if all(name in block.quantities() for block in blocks):
                names[f"{collection}.{name}"] = Quantity(unit_of(column), collection)
    names |= {f"met.{feature.name}": Quantity(feature.unit) for feature in of_map.get("met", ())}
    names |= {column.branch: Quantity("none") for column in branch_map.triggers}
    return names | {feature.name: Quantity(feature.unit) for feature in event}


def _quantities(expressions: Mapping[str, Expression]) -> dict[str, Quantity]:
    return {name: Quantity(each.unit, each.collection) for name, each in expressions.items()}
