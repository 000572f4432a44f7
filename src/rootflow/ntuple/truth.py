"""The generator's truth in the units of rootflow."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import vector
from numpy.typing import NDArray

from rootflow.ntuple.branch_map import FourMomentum, NeutrinoCandidate
from rootflow.ntuple.branch_map import Truth as TruthMap
from rootflow.ntuple.columns import Table
from rootflow.ntuple.units import Column

NEUTRINOS = (12, 14, 16)


class Truth(NamedTuple):
    """What the generator says of n events; None where the map does not name it.

    Attributes
    ----------
    jet_index
        (n, 2) int64, the jets of b and bbar among the jets as the ntuple orders them, -1
        where there is none.
    neutrinos
        (n, 2, 3) float32, px, py, pz of neutrino and antineutrino in GeV; zeros where W
        decays to quarks.
    dileptonic
        (n,) bool, True where both neutrinos exist.
    tops
        (n, 2, 4) float32, px, py, pz, energy of t and tbar in GeV.
    """

    jet_index: NDArray[np.int64] | None
    neutrinos: NDArray[np.float32] | None
    dileptonic: NDArray[np.bool_] | None
    tops: NDArray[np.float32] | None


def read_truth(table: Table, truth: TruthMap) -> Truth:
    """Return the truth of these events.

    Raises
    ------
    InputError
        A momentum is not finite or beyond what a collision gives.
    """
    jet_index = neutrinos = dileptonic = tops = None
    if truth.assignment is not None:
        jet_index = np.stack(
            [_jet_index(table, column) for column in (truth.assignment.b, truth.assignment.bbar)],
            axis=-1,
        )
    if truth.neutrinos is not None:
        neutrino, first_exists = _neutrino(table, truth.neutrinos.neutrino)
        antineutrino, second_exists = _neutrino(table, truth.neutrinos.antineutrino)
        neutrinos = np.stack([neutrino, antineutrino], axis=1)
        dileptonic = first_exists & second_exists
    if truth.tops is not None:
        tops = np.stack([_top(table, truth.tops.top), _top(table, truth.tops.antitop)], axis=1)
    return Truth(jet_index, neutrinos, dileptonic, tops)


def _jet_index(table: Table, column: Column) -> NDArray[np.int64]:
    return np.maximum(table.scalar(column).astype(np.int64), -1)


def _neutrino(
    table: Table, candidates: list[NeutrinoCandidate]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    n_events = len(table.event_number)
    momentum = np.zeros((n_events, 3), dtype=np.float32)
    exists = np.zeros(n_events, dtype=np.bool_)
    for candidate in candidates:
        chosen = np.ones(n_events, dtype=np.bool_)
        if candidate.pdg_id is not None:
            chosen = np.isin(np.abs(table.scalar(candidate.pdg_id)), NEUTRINOS)
        if chosen.any():
            event = np.flatnonzero(chosen)
            momentum[event] = _momenta(table, candidate.coordinates(), event, ("px", "py", "pz"))
            exists |= chosen
    return momentum, exists


def _top(table: Table, top: FourMomentum) -> NDArray[np.float32]:
    event = np.arange(len(table.event_number))
    return _momenta(table, top.coordinates(), event, ("px", "py", "pz", "energy"))


def _momenta(
    table: Table, columns: Mapping[str, Column], event: NDArray[np.int64], names: Sequence[str]
) -> NDArray[np.float32]:
    vectors = vector.array(
        {
            name: table.converted(column, table.scalar(column)[event], event)
            for name, column in columns.items()
        }
    )
    momenta = np.empty((len(event), len(names)), dtype=np.float32)
    for place, name in enumerate(names):
        momenta[:, place] = getattr(vectors, name)
    return momenta
