"""What the generator says, and another reconstruction, in the units of rootflow."""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.ntuple.columns import SMALLEST_PT_GEV, Rows, Values, energies
from rootflow.ntuple.units import (
    BranchColumn,
    DecayProduct,
    Momentum,
    ReconstructedNeutrinos,
    TruthMap,
)

P3 = ("px", "py", "pz")
Components = Sequence[Values]
LEPTONS, NEUTRINOS = (11, 13, 15), (12, 14, 16)
# Among many top quarks the largest mass, and so the largest energy, is well above this.
SMALLEST_TOP_ENERGY_GEV = 100.0


def read_truth(
    rows: Rows, truth: TruthMap, jet_counts: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    """Return what the generator says of events with so many jets, (n,), by the names of `Chunk`."""
    found: dict[str, NDArray[Any]] = {}
    if truth.assignment is not None:
        said = (truth.assignment.b, truth.assignment.bbar)
        parton = truth.assignment.parton
        jet_index = np.stack([_jet_index(rows, parton, b, jet_counts) for b in said], axis=-1)
        # The two quarks in one jet: no pair of jets is the right one.
        jet_index[jet_index[:, 0] == jet_index[:, 1]] = -1
        found["jet_index"] = jet_index
    if truth.neutrinos is not None:
        neutrino, first_exists = _product(rows, truth.neutrinos.neutrino, NEUTRINOS)
        antineutrino, second_exists = _product(rows, truth.neutrinos.antineutrino, NEUTRINOS)
        found["neutrinos"] = two_sides(neutrino, antineutrino)
        found["dileptonic"] = first_exists & second_exists
    if truth.leptons is not None:
        both = (truth.leptons.positive, truth.leptons.negative)
        found["true_leptons"] = two_sides(*(_product(rows, each, LEPTONS)[0] for each in both))
    if truth.tops is not None:
        pair = (truth.tops.top, truth.tops.antitop)
        found["tops"] = two_sides(*(momenta(rows, top, (*P3, "energy")) for top in pair))
    return found


def two_sides(first: Components, second: Components) -> Values:
    """Return (n, 2, components) of those of both sides."""
    return np.stack([*first, *second], axis=-1).reshape(-1, 2, len(first))


def _jet_index(
    rows: Rows,
    parton: BranchColumn | None,
    said: BranchColumn | int,
    jet_counts: NDArray[np.int64],
) -> NDArray[np.int64]:
    if isinstance(said, BranchColumn):
        index = rows.scalar(said).astype(np.int64)
        rows.refuse_where(
            (index < -1) | (index >= jet_counts),
            said,
            "is {}, which is no place among the event's {} jets (from 0; -1 for none): is it the "
            "right branch in the branch map?",
            index,
            jet_counts,
        )
        return index
    assert parton is not None  # noqa: S101 - the map was checked
    lists = rows.lists(parton)
    first, lengths = lists.offsets[:-1], np.diff(lists.offsets)
    rows.refuse_where(lengths < jet_counts, parton, "has fewer values than there are jets")
    found = np.flatnonzero(lists.values == said)
    event = np.searchsorted(lists.offsets, found, side="right") - 1
    times = np.bincount(event, minlength=len(lengths))
    rows.refuse_where(times > 1, parton, f"is {said} for several jets: it can be for one")
    index = np.full(len(lengths), -1)
    index[event] = found - first[event]
    rows.refuse_where(
        index >= jet_counts,
        parton,
        f"is {said} at place {{}} (from 0), but the event has {{}} jets",
        index,
        jet_counts,
    )
    return index


def _product(
    rows: Rows, candidates: Sequence[DecayProduct], kinds: Sequence[int]
) -> tuple[Components, NDArray[np.bool_]]:
    """Return the momenta of the candidates that are of these kinds, and (n,) where one is.

    Of several it is the last.
    """
    exists = np.zeros(len(rows.identity.number), dtype=np.bool_)
    found = []
    for candidate in reversed(candidates):
        chosen = ~exists
        if candidate.pdg_id is not None:
            chosen &= is_one_of(np.abs(rows.scalar(candidate.pdg_id)), kinds)
        exists |= chosen
        found.append(momenta(rows, candidate, P3, chosen))
    return [reduce(np.add, of_all) for of_all in zip(*found, strict=True)], exists


def is_one_of(numbers: NDArray[Any], kinds: Sequence[int]) -> NDArray[np.bool_]:
    """Return where numbers are one of a few kinds, which takes less time than for any number."""
    return reduce(np.logical_or, (numbers == kind for kind in kinds))


def momenta(
    rows: Rows,
    momentum: Momentum,
    names: Sequence[str],
    there: NDArray[np.bool_] | None = None,
    raw: Mapping[str, NDArray[Any]] | None = None,
) -> Components:
    """Return components in GeV, (n,) float32 each, of a momentum of each event.

    They are zero where it is not `there`, None: everywhere. `raw` are (n,) values of each
    coordinate as they are in the file; None: they are still read.
    """
    columns = momentum.coordinates()
    found = raw or {name: rows.scalar(column) for name, column in columns.items()}
    if there is not None:
        found = {name: values * there for name, values in found.items()}
    count = None if there is None else int(np.count_nonzero(there))
    values = {name: rows.converted(column, found[name]) for name, column in columns.items()}
    for name, column in columns.items():
        smallest = SMALLEST_TOP_ENERGY_GEV if name in ("energy", "mass") else SMALLEST_PT_GEV
        rows.require_unit(column, values[name], smallest, count)
    with np.errstate(over="ignore", invalid="ignore"):  # it is refused
        components = {name: _component(name, values) for name in names}
    for name in ("pz", "energy"):  # no other can be larger than what it is made of
        if name in components and name not in columns:
            rows.require_possible(columns, values, components[name])
    return list(components.values())


def _component(name: str, values: Mapping[str, Values]) -> Values:
    """Return (n,) a component of momenta of which these are coordinates."""
    if name in values:
        return values[name]
    if name == "energy":
        return energies(values)
    along = {"px": (np.cos, "phi"), "py": (np.sin, "phi"), "pz": (np.sinh, "eta")}
    function, angle = along[name]
    return np.asarray(values["pt"] * function(values[angle]))


def read_neutrinos(rows: Rows, neutrinos: ReconstructedNeutrinos) -> NDArray[np.float32]:
    """Return (n, 2, 3) px, py, pz in GeV of neutrino and antineutrino.

    NaN, or an empty list, says that an event has none: both are NaN then.
    """
    both = np.ones(len(rows.identity.number), dtype=np.bool_)
    sides = []
    for momentum in (neutrinos.neutrino, neutrinos.antineutrino):
        raw = {name: _values(rows, column) for name, column in momentum.coordinates().items()}
        there = ~np.any(np.isnan(list(raw.values())), axis=0)
        numbers = {name: np.where(there, values, 0) for name, values in raw.items()}
        sides.append(momenta(rows, momentum, P3, there, numbers))
        both &= there
    array = two_sides(*sides)
    array[~both] = np.nan
    return array


def _values(rows: Rows, column: BranchColumn) -> NDArray[Any]:
    """Return (n,) values as they are in the file, NaN where there is an empty list."""
    if column.index is None:
        return rows.scalar_or_nan(column).astype(np.float64)
    lists = rows.lists(column)
    lengths = np.diff(lists.offsets)
    too_short = (lengths > 0) & (lengths <= column.index)
    rows.refuse_where(too_short, column, f"has no place {column.index}")
    values = np.full(len(lengths), np.nan)
    there = lengths > 0
    values[there] = lists.values[lists.offsets[:-1][there] + column.index]
    return values
