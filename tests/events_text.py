"""Events as a C++ program reads them, and what it says of them."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset import Events

PER_GEV = {"GeV": 1.0, "MeV": 1000.0}


class Said(NamedTuple):
    """What a program says: (n,) event numbers, (n, 2) jets, (n,) and (n, 2, 3) in its unit."""

    event_number: NDArray[np.uint64]
    jets: NDArray[np.int64]
    probability: NDArray[np.float64]
    neutrinos: NDArray[np.float64]


def shuffles(events: Events, seed: int = 5) -> list[NDArray[np.intp]]:
    """Return for each event its slots in another order, in which a text has its jets."""
    random = np.random.default_rng(seed)
    return [random.permutation(np.flatnonzero(mask)) for mask in events.jet_mask]


def as_text(
    events: Events, orders: Sequence[NDArray[np.intp]], unit: str = "GeV", kind: str = "simulation"
) -> str:
    """Return the events as text, with their jets in these orders and the negative lepton first."""
    return "\n\n".join(
        _event(events, place, order, PER_GEV[unit], kind) for place, order in enumerate(orders)
    )


def _event(events: Events, place: int, order: NDArray[np.intp], scale: float, kind: str) -> str:
    momentum = np.array([scale, 1, 1, scale])
    jets = events.jets[place, order].astype(np.float64)
    jets[:, :4] *= momentum
    leptons = events.leptons[place, ::-1].astype(np.float64)
    charges, pdg_ids = -np.sign(leptons[:, 4]), np.abs(leptons[:, 4])
    leptons = np.column_stack([leptons[:, :4] * momentum, charges, pdg_ids])
    lines = [
        f"event {events.event_number[place]} {kind}",
        *(_line("jet", jet) for jet in jets),
        *(_line("lepton", lepton) for lepton in leptons),
    ]
    lines.append(_line("met", events.met[place].astype(np.float64) * [scale, 1]))
    if events.features["event"]:
        lines.append(_line("features", events.event[place].astype(np.float64)))
    return "\n".join(lines)


def _line(word: str, numbers: NDArray[np.float64]) -> str:
    return " ".join([word, *(f"{number:.17g}" for number in numbers)])


def run(
    program: Path, text: str, files: Sequence[Path], unit: str = "GeV"
) -> subprocess.CompletedProcess[str]:
    """Return the answer of a program to a text of events."""
    events = program.with_name("events.txt")
    events.write_text(text)
    return subprocess.run(
        [str(program), unit, str(events), *map(str, files)], capture_output=True, text=True
    )


def said(answer: subprocess.CompletedProcess[str]) -> Said:
    """Return what a program says, without a confidence."""
    assert answer.returncode == 0, answer.stderr
    head, *lines = answer.stdout.splitlines()
    assert head.split()[:4] == ["event", "b", "bbar", "probability"]
    rows = [line.split() for line in lines]
    return Said(
        np.array([int(row[0]) for row in rows], np.uint64),
        np.array([row[1:3] for row in rows], np.int64),
        np.array([row[3] for row in rows], np.float64),
        np.array([row[-6:] for row in rows], np.float64).reshape(-1, 2, 3),
    )
