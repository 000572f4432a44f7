"""Derived features and cuts of a map and a configuration, evaluated on the events left."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config.data import ReadingConfig
from rootflow.dataset.reading import Accepted, scattered
from rootflow.errors import UsageError
from rootflow.ntuple import BranchMap, Chunk, Feature, features_of
from rootflow.ntuple.expressions import Expression, Lookup, Quantity, parse_cut, parse_features
from rootflow.ntuple.objects import Places
from rootflow.ntuple.units import unit_of

UNITS = ("GeV", "rad", "none")
COUNT = "n_"


class EventsLeft(NamedTuple):
    """The events of a chunk that pass so far: k of them, at these places (k,)."""

    chunk: Chunk
    accepted: Accepted
    places: Places


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
        self.cuts = {
            name: parse_cut(text, names, f"data.cuts.{name}") for name, text in config.cuts.items()
        }
        expressions = [*self._features.values(), *self.cuts.values()]
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

    def passes(self, cut: str, left: EventsLeft) -> NDArray[np.bool_]:
        """Return (k,) which events pass a cut."""
        return _View(self._features, left).of(self.cuts[cut])

    def values(self, left: EventsLeft) -> dict[str, NDArray[np.float32]]:
        """Return the derived features of these events: (k,), or (objects,) of the chunk's table."""
        found: dict[str, NDArray[np.float32]] = {}
        if not self._features:
            return found
        view = _View(self._features, left)
        for name, feature in self._features.items():
            values = np.asarray(view.of(feature), dtype=np.float32)
            if feature.collection is not None:
                table = left.chunk.objects[feature.collection]
                values = scattered(values, view.places(feature.collection), table.n_objects)
            found[name] = values
        return found


class _View:
    """Some events of a chunk, as expressions see them."""

    def __init__(self, features: Mapping[str, Expression], left: EventsLeft) -> None:
        self._features, self._left = features, left
        self._objects = objects = left.accepted.objects
        self._known: dict[str, NDArray[Any]] = {}
        self._row = np.full(len(left.chunk), -1)
        self._row[left.places] = np.arange(len(left.places))
        self._of_objects = {name: self._row[each.event()] for name, each in objects.items()}
        self._lookup = Lookup(
            self._values,
            {name: row[row >= 0] for name, row in self._of_objects.items()},
            len(left.places),
            lambda event, what: left.chunk.rows.wrong_at(int(left.places[event]), what),
        )

    def of(self, expression: Expression) -> NDArray[Any]:
        """Return its values."""
        return expression.evaluate(self._lookup)

    def places(self, collection: str) -> Places:
        """Return where in the chunk's table the objects of these events are that count."""
        places = self._objects[collection].places
        wanted = self._of_objects[collection] >= 0
        return np.flatnonzero(wanted) if places is None else places[wanted]

    def _values(self, name: str) -> NDArray[Any]:
        if name not in self._known:
            self._known[name] = self._read(name)
        return self._known[name]

    def _read(self, name: str) -> NDArray[Any]:
        collection, _, feature = name.rpartition(".")
        chunk, accepted, places = self._left
        if name in self._features:
            return self.of(self._features[name])
        if collection == "met":
            assert chunk.met is not None  # noqa: S101 - it is needed, so it is read
            return np.asarray(chunk.met[places, ("pt", "phi").index(feature)])
        if collection:
            return self._objects[collection].table.columns[feature][self.places(collection)]
        for named in (accepted.computed, chunk.event, chunk.triggers):
            if name in named:
                return named[name][places]
        return self._objects[name.removeprefix(COUNT)].counts()[places]


def _names(branch_map: BranchMap, event: Sequence[Feature]) -> dict[str, Quantity]:
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
