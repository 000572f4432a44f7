"""Proof that ONNX files score as the models do that they were made from."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Features
from rootflow.errors import InputError, RootflowError
from rootflow.export.parity import ask, refuse_shapes, refusing
from rootflow.export.units import GEV, Units
from rootflow.exported.session import open_session
from rootflow.progress import progress

Arrays = dict[str, NDArray[Any]]
Row = dict[str, Any]

BATCH_SIZES = (0, 1, 2, 7, 1000)
# Small batches are repeated, so that each is tried on as many events at least.
EVENTS_AT_LEAST = 20
SCORE_TOLERANCE = 1e-6
EXTREME_EVENTS = 1000
EXTREMES_GEV = (0.0, 0.001, 7000.0)
EXTREMES_RAD = (-math.pi, 0.0, math.pi)
SEED = 1


@dataclass(frozen=True)
class ScoreCandidate:
    """An ONNX file that is to be proven.

    Attributes
    ----------
    file
        Its name.
    model
        Its bytes.
    expected
        From its inputs to the scores (n, 1) that it should give.
    """

    file: str
    model: bytes
    expected: Callable[[Arrays], NDArray[np.floating]]


def prove_scores(
    candidates: Sequence[ScoreCandidate], inputs: Arrays, extreme: Arrays
) -> list[Row]:
    """Compare each file with its model, by batch size.

    Parameters
    ----------
    candidates
        What is to be proven.
    inputs
        Real events, by the name of the input; a candidate takes those that it names.
    extreme
        Events that never were, see `extreme_inputs`.

    Returns
    -------
    list of dict
        `file`, `events` (real or extreme), `batch_size`, `count` of events, and `score`,
        the largest absolute difference.

    Raises
    ------
    RootflowError
        A difference is above 1e-6, or is not a number: the message names the worst row. Or
        onnxruntime cannot run a file at all.
    InputError
        There are no events.
    """
    if not all(len(array) for array in inputs.values()):
        raise InputError("export: there are no events to compare the ONNX files with the models on")
    rows: list[Row] = []
    with progress("parity", 2 * len(candidates) * len(BATCH_SIZES), "rows") as advance:
        for candidate in candidates:
            with refusing(candidate.file):
                session = open_session(candidate.model)
            names = [tensor.name for tensor in session.get_inputs()]
            for kind, arrays in (("real", inputs), ("extreme", extreme)):
                feeds = {name: np.ascontiguousarray(arrays[name]) for name in names}
                for size in BATCH_SIZES:
                    with refusing(candidate.file, size):
                        differences = [
                            _difference(candidate, ask(session, part), part)
                            for part in _batches(feeds, size)
                        ]
                    row = {"file": candidate.file, "events": kind, "batch_size": size}
                    count = sum(events for events, _ in differences)
                    worst = max((value for _, value in differences), key=_badness)
                    rows.append(row | {"count": count, "score": worst})
                    advance()
    _refuse_different(rows)
    return rows


def extreme_inputs(inputs: Arrays, features: Features, units: Units) -> Arrays:
    """Return events of which every feature is at the edge of what it can be.

    Energies are 0, 1 MeV or 7 TeV, angles at the ends of their range; all else is the
    smallest or the largest of the real events'. Which, is drawn with a fixed seed.
    """
    random = np.random.default_rng(SEED)
    extreme: Arrays = {}
    for name, array in inputs.items():
        changed = np.empty((EXTREME_EVENTS, *array.shape[1:]), array.dtype)
        for column, feature in enumerate(features.get(name, ())):
            edges = _edges(array[..., column], units[name][feature])
            changed[..., column] = random.choice(edges, changed.shape[:-1])
        extreme[name] = changed if name in features else np.resize(array, EXTREME_EVENTS)
    return extreme


def _edges(values: NDArray[Any], unit: str) -> Sequence[float]:
    fixed: Mapping[str, Sequence[float]] = {GEV: EXTREMES_GEV, "rad": EXTREMES_RAD}
    return fixed.get(unit, (float(values.min()), float(values.max())))


def _batches(feeds: Arrays, size: int) -> Iterator[Arrays]:
    """Yield every event in large batches, and some in each of the small ones."""
    count = min(map(len, feeds.values()))
    wanted = max(count, size) if size == max(BATCH_SIZES) else max(size, EVENTS_AT_LEAST)
    for start in range(0, wanted if size else 1, size or 1):
        places = np.arange(start, start + size) % count
        yield {name: array[places] for name, array in feeds.items()}


def _difference(candidate: ScoreCandidate, said: Arrays, feeds: Arrays) -> tuple[int, float]:
    # Some models take no less than one event: of none, nothing but the shape is known.
    count = min(map(len, feeds.values()))
    wanted = candidate.expected(feeds) if count else np.empty((0, 1))
    refuse_shapes(candidate.file, said, {"score": wanted})
    apart = np.abs(said["score"].astype(np.float64) - wanted.astype(np.float64))
    return count, float(np.max(apart, initial=0.0))


def _badness(difference: float) -> float:
    return math.inf if math.isnan(difference) else difference


def _refuse_different(rows: list[Row]) -> None:
    worst = max(rows, key=lambda row: _badness(row["score"]))
    if _badness(worst["score"]) > SCORE_TOLERANCE:
        raise RootflowError(
            f"ONNX and the model differ, so that nothing is exported: {worst['file']} at batch "
            f"size {worst['batch_size']}, {worst['events']} events, by {worst['score']:.1e} "
            f"(allowed {SCORE_TOLERANCE:.0e})"
        )
