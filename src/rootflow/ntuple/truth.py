"""What the generator says, and another reconstruction, in the units of rootflow."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import vector
from numpy.typing import NDArray

from rootflow.ntuple.columns import SMALLEST_PT_GEV, Rows
from rootflow.ntuple.units import (
    BranchColumn,
    DecayProduct,
    Momentum,
    ReconstructedNeutrinos,
    TruthMap,
)

P3 = ("px", "py", "pz")
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
        found["neutrinos"] = np.stack([neutrino, antineutrino], axis=1)
        found["dileptonic"] = first_exists & second_exists
    if truth.leptons is not None:
        both = (truth.leptons.positive, truth.leptons.negative)
        found["true_leptons"] = np.stack(
            [_product(rows, each, LEPTONS)[0] for each in both], axis=1
        )
    if truth.tops is not None:
        pair, event = (truth.tops.top, truth.tops.antitop), np.arange(len(rows.identity.number))
        found["tops"] = np.stack(
            [momenta(rows, top, event, (*P3, "energy")) for top in pair], axis=1
        )
    return found


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
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    n_events = len(rows.identity.number)
    momentum = np.zeros((n_events, 3), dtype=np.float32)
    exists = np.zeros(n_events, dtype=np.bool_)
    for candidate in candidates:
        chosen = np.ones(n_events, dtype=np.bool_)
        if candidate.pdg_id is not None:
            chosen = np.isin(np.abs(rows.scalar(candidate.pdg_id)), kinds)
        if chosen.any():
            event = np.flatnonzero(chosen)
            momentum[event] = momenta(rows, candidate, event, P3)
            exists |= chosen
    return momentum, exists


def momenta(
    rows: Rows,
    momentum: Momentum,
    event: NDArray[np.int64],
    names: Sequence[str],
    raw: Mapping[str, NDArray[Any]] | None = None,
) -> NDArray[np.float32]:
    """Return (k, names) components in GeV, float32, of the momenta of k events.

    `raw` are (n,) values of each coordinate as they are in the file; None: they are still read.
    """
    columns = momentum.coordinates()
    found = raw or {name: rows.scalar(column) for name, column in columns.items()}
    values = {
        name: rows.converted(column, found[name][event], event) for name, column in columns.items()
    }
    for name, column in columns.items():
        smallest = SMALLEST_TOP_ENERGY_GEV if name in ("energy", "mass") else SMALLEST_PT_GEV
        rows.require_unit(column, values[name], smallest)
    vectors = vector.array(values)
    with np.errstate(over="ignore", invalid="ignore"):  # it is refused
        components = np.stack([getattr(vectors, name) for name in names], axis=-1, dtype=np.float32)
    rows.require_possible(columns, values, components, event)
    return components


def read_neutrinos(rows: Rows, neutrinos: ReconstructedNeutrinos) -> NDArray[np.float32]:
    """Return (n, 2, 3) px, py, pz in GeV of neutrino and antineutrino.

    NaN, or an empty list, says that an event has none: both are NaN then.
    """
    array = np.full((len(rows.identity.number), 2, 3), np.nan, dtype=np.float32)
    for side, momentum in enumerate((neutrinos.neutrino, neutrinos.antineutrino)):
        raw = {name: _values(rows, column) for name, column in momentum.coordinates().items()}
        event = np.flatnonzero(~np.any(np.isnan(list(raw.values())), axis=0))
        array[event, side] = momenta(rows, momentum, event, P3, raw)
    array[np.any(np.isnan(array), axis=(1, 2))] = np.nan
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
