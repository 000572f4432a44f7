"""The events on which files are compared with their models, and the ranges of features."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.analysis import TaskName
from rootflow.config import FoldingConfig
from rootflow.dataset import Dataset
from rootflow.dataset.events import Events
from rootflow.dataset.folds import fold_of
from rootflow.errors import InputError
from rootflow.export.composing import FOLD
from rootflow.export.layout import GEV, Layout
from rootflow.exported.session import Arrays
from rootflow.ntuple.objects import mask_name

EXTREMES_GEV = (0.0, 0.001, 7000.0)
EXTREMES_RAD = (-math.pi, 0.0, math.pi)
SEED = 1
LARGEST = 1000  # batch of a proof
JETS_AT_LEAST = 2  # that can be assigned
EVENTS_AT_ONCE = 100_000
# By collection, (objects, features, 2): the smallest and the largest value. Where there is a mask
# all objects are one.
Ranges = Mapping[str, NDArray[np.float32]]


def ranges_of(parts: Iterable[Events]) -> Ranges:
    """Return the range of every feature of real objects in the simulated events of all parts.

    Where there is not one object, the range is from inf to -inf.
    """
    found: dict[str, NDArray[np.float32]] = {}
    for events in parts:
        for name, array in _objects(events).items():
            low = array.min(axis=0, initial=np.inf)
            high = array.max(axis=0, initial=-np.inf)
            if name in found:
                low = np.minimum(low, found[name][..., 0])
                high = np.maximum(high, found[name][..., 1])
            found[name] = np.stack([low, high], axis=-1)
    return found


def parts_of(dataset: Dataset) -> Iterable[Events]:
    """Yield all events of a dataset, some at a time."""
    for start in range(0, len(dataset), EVENTS_AT_ONCE):
        yield dataset.events(slice(start, start + EVENTS_AT_ONCE))


def _objects(events: Events) -> dict[str, NDArray[np.float32]]:
    """Return (n, objects, features) by collection; each that has a mask is an n of its own."""
    events = events.take(events.simulated)
    inputs = events.inputs()
    arrays = {name: inputs[name] for name, features in events.features.items() if features}
    for name in arrays:
        if (mask := mask_name(name)) in inputs:
            arrays[name] = arrays[name][inputs[mask]]
    return {
        name: array if array.ndim == 3 else array[:, np.newaxis] for name, array in arrays.items()
    }


def samples_of(
    task: TaskName, events: Events, layout: Layout, folds: FoldingConfig
) -> list[tuple[str, Arrays]]:
    """Return what the samples are called, and the model's inputs of their events, and their fold.

    For reconstruction they have 2, 3, ... jets, and all multiplicities: where too few events
    have one, others are cut down to it, or get jets of other events. For classification they
    are the events as they are, and events that never were: every feature is at the edge of
    what it can be, and every number of objects is among them.
    """
    if not len(events):
        raise InputError("export: there are no events to compare the ONNX files with the models on")
    inputs = inputs_of(events, layout, folds)
    if task == "classification":
        return [("real events", inputs), ("extreme events", _extreme(inputs, layout))]
    slots = inputs["jet_mask"].shape[1]
    multiplicities = range(JETS_AT_LEAST, slots + 1)
    samples = [
        (f"{jets} jets", _with_jets(inputs, np.full(LARGEST, jets))) for jets in multiplicities
    ]
    every = np.resize(multiplicities, LARGEST)
    return [*samples, (f"{JETS_AT_LEAST} to {slots} jets", _with_jets(inputs, every))]


def inputs_of(events: Events, layout: Layout, folds: FoldingConfig) -> Arrays:
    """Return what a model takes of events, and their `fold`."""
    names = {name for each in layout.collections for name in (each.name, each.mask)}
    inputs = {name: array for name, array in events.inputs().items() if name in names}
    return {**inputs, FOLD: fold_of(events.fold_numbers, folds).astype(np.int64)}


def _with_jets(inputs: Arrays, jets: NDArray[np.int64]) -> Arrays:
    """Return inputs of which event k has jets[k] jets."""
    slots = np.arange(inputs["jet_mask"].shape[1])
    found = inputs["jet_mask"].sum(axis=1)
    chosen = np.empty(len(jets), np.int64)
    for wanted in np.unique(jets):
        # Those that have as many, then those with more, last those with fewer.
        rank = np.where(found == wanted, 0, np.where(found > wanted, 1, 2))
        best_first = np.argsort(rank, kind="stable")
        places = np.flatnonzero(jets == wanted)
        usable = best_first[: np.count_nonzero(rank < 2) or None]
        chosen[places] = np.resize(usable, len(places))
    every_jet = inputs["jets"][inputs["jet_mask"]]
    inputs = {name: array[chosen] for name, array in inputs.items()}
    mask = slots < jets[:, np.newaxis]
    borrowed = np.resize(every_jet, inputs["jets"].shape)
    filled = np.where(inputs["jet_mask"][..., np.newaxis], inputs["jets"], borrowed)
    inputs["jets"] = np.where(mask[..., np.newaxis], filled, np.float32(0))
    inputs["jet_mask"] = mask
    return inputs


def _extreme(inputs: Arrays, layout: Layout) -> Arrays:
    """Return energies of 0, 1 MeV or 7 TeV, angles at the ends of their range.

    All else is the smallest or the largest of the real events'. Which, is drawn with a fixed
    seed.
    """
    random = np.random.default_rng(SEED)
    extreme: Arrays = {FOLD: np.resize(inputs[FOLD], LARGEST)}
    for each in layout.collections:
        array = inputs[each.name]
        changed = np.empty((LARGEST, *array.shape[1:]), array.dtype)
        for column, unit in enumerate(each.units.values()):
            edges = _edges(array[..., column], unit)
            changed[..., column] = random.choice(edges, changed.shape[:-1])
        if each.mask and each.slots is not None:
            filled = np.arange(LARGEST) % (each.slots + 1)
            extreme[each.mask] = np.arange(each.slots) < filled[:, np.newaxis]
            changed[~extreme[each.mask]] = 0
        extreme[each.name] = changed
    return extreme


def _edges(values: NDArray[Any], unit: str) -> Sequence[float]:
    fixed: Mapping[str, Sequence[float]] = {GEV: EXTREMES_GEV, "rad": EXTREMES_RAD}
    return fixed.get(unit, (float(values.min()), float(values.max())))
