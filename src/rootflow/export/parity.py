"""Proof that an ONNX file says what the Keras model says."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from rootflow.dataset.events import Events
from rootflow.errors import InputError, RootflowError
from rootflow.exported.session import UNREADABLE, open_session
from rootflow.progress import progress

Arrays = dict[str, NDArray[Any]]
Row = dict[str, Any]

Ask = Callable[[InferenceSession, Arrays], Arrays]

BATCH_SIZES = (0, 1, 2, 7, 1000)
# Small batches are repeated, so that each is tried on as many events at least.
EVENTS_AT_LEAST = 20
PROBABILITY_TOLERANCE = 1e-5
MOMENTUM_TOLERANCE = 1e-3


def ask(session: InferenceSession, feeds: Arrays) -> Arrays:
    """Return what a session says of a batch, by name."""
    names = [tensor.name for tensor in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))


@dataclass(frozen=True)
class Candidate:
    """An ONNX model that is to be proven.

    Attributes
    ----------
    variant, precision
        Its names in the table.
    model
        The file's bytes.
    feeds
        From the network's inputs to those of this variant.
    expected
        From the inputs of this variant to what it should say, by Keras.
    momenta
        The name of its output of momenta.
    unit
        1 GeV in the unit of those momenta.
    ask
        How it is run on a batch, by the names that `expected` uses.
    batch_sizes
        How many events it is given at once.
    """

    variant: str
    model: bytes
    feeds: Callable[[Arrays], Arrays]
    expected: Callable[[Arrays], Arrays]
    momenta: str
    unit: float
    precision: str = "float32"
    ask: Ask = field(default=ask)
    batch_sizes: Sequence[int] = BATCH_SIZES


def prove(candidates: Sequence[Candidate], events: Events) -> list[Row]:
    """Compare each candidate with Keras, see `compared`, and refuse those that differ.

    Raises
    ------
    RootflowError
        A difference is too large, or is not a number: the message names the worst row.
        Or onnxruntime cannot run a candidate at all.
    InputError
        There are no events.
    """
    rows = compared(candidates, events)
    _refuse_different(rows)
    return rows


def compared(candidates: Sequence[Candidate], events: Events) -> list[Row]:
    """Compare each candidate with Keras, by batch size and jet multiplicity.

    Parameters
    ----------
    candidates
        What is to be proven.
    events
        Real ones. Where too few have a multiplicity, others are cut down to it, or get
        jets of other events.

    Returns
    -------
    list of dict
        `variant`, `precision`, `jets`, `batch_size`, `events`, and the largest differences:
        `probability`, absolute, of assignment and confidence; `momentum`, of a neutrino's momentum
        vector, relative to its length or to 1 GeV, whichever is larger.

    Raises
    ------
    RootflowError
        Onnxruntime cannot run a candidate at all.
    InputError
        There are no events.
    """
    if not len(events):
        raise InputError("export: there are no events to compare the ONNX files with Keras on")
    slots = events.jet_mask.shape[1]
    rows: list[Row] = []
    count = slots * sum(len(candidate.batch_sizes) for candidate in candidates)
    with progress("parity", count, "rows") as advance:
        for candidate in candidates:
            with refusing(f"the {candidate.variant} variant"):
                session = open_session(candidate.model)
            for label, inputs in _by_multiplicity(events):
                feeds = candidate.feeds(inputs)
                for size in candidate.batch_sizes:
                    parts = list(_batches(feeds, size))
                    wanted = _joined(candidate.expected(part) for part in parts)
                    with refusing(f"the {candidate.variant} variant", size):
                        said = _joined(candidate.ask(session, part) for part in parts)
                    refuse_shapes(f"the {candidate.variant} variant", said, wanted)
                    row = {
                        "variant": candidate.variant,
                        "precision": candidate.precision,
                        "jets": label,
                        "batch_size": size,
                    }
                    rows.append(row | _differences(said, wanted, candidate))
                    advance()
    return rows


@contextmanager
def refusing(what: str, size: int | None = None) -> Iterator[None]:
    """Say of what onnxruntime cannot open, or cannot run on so many events at once, what it is."""
    try:
        yield
    except UNREADABLE as error:
        reason = " ".join(str(error).split())
        batch = "" if size is None else f" on {size} events"
        raise RootflowError(
            f"onnxruntime cannot run {what}{batch}, so that nothing is exported: {reason}"
        ) from None


def refuse_shapes(what: str, said: Arrays, wanted: Arrays) -> None:
    """Refuse answers of another shape, as some are of no events."""
    for name, array in wanted.items():
        if name in said and said[name].shape != array.shape:
            raise RootflowError(
                f"ONNX and the model differ, so that nothing is exported: {what} gives {name} "
                f"{said[name].shape}, not {array.shape}"
            )


def _by_multiplicity(events: Events) -> Iterator[tuple[str, Arrays]]:
    """Yield the inputs of as many events as the largest batch, with 2, 3, ... jets, and all."""
    slots = events.jet_mask.shape[1]
    count = max(BATCH_SIZES)
    multiplicities = range(2, slots + 1)
    for jets in multiplicities:
        yield str(jets), _with_jets(events, np.full(count, jets))
    yield f"2 to {slots}", _with_jets(events, np.resize(multiplicities, count))


def _with_jets(events: Events, jets: NDArray[np.int64]) -> Arrays:
    """Return inputs of which event k has jets[k] jets."""
    slots = np.arange(events.jet_mask.shape[1])
    found = events.jet_mask.sum(axis=1)
    chosen = np.empty(len(jets), np.int64)
    for wanted in np.unique(jets):
        # Those that have as many, then those with more, last those with fewer.
        rank = np.where(found == wanted, 0, np.where(found > wanted, 1, 2))
        best_first = np.argsort(rank, kind="stable")
        places = np.flatnonzero(jets == wanted)
        usable = best_first[: np.count_nonzero(rank < 2) or None]
        chosen[places] = np.resize(usable, len(places))
    inputs = {name: array[chosen] for name, array in events.inputs().items()}
    mask = slots < jets[:, np.newaxis]
    every_jet = events.jets[events.jet_mask]
    borrowed = np.resize(every_jet, inputs["jets"].shape)
    filled = np.where(inputs["jet_mask"][..., np.newaxis], inputs["jets"], borrowed)
    inputs["jets"] = np.where(mask[..., np.newaxis], filled, np.float32(0))
    inputs["jet_mask"] = mask
    return inputs


def _batches(feeds: Arrays, size: int) -> Iterator[Arrays]:
    for start in range(0, max(size, EVENTS_AT_LEAST) if size else 1, size or 1):
        yield {name: array[start : start + size] for name, array in feeds.items()}


def _joined(parts: Iterator[Arrays]) -> Arrays:
    listed = list(parts)
    return {name: np.concatenate([part[name] for part in listed]) for name in listed[0]}


def _differences(said: Arrays, wanted: Arrays, candidate: Candidate) -> Row:
    momenta = wanted[candidate.momenta].astype(np.float64)
    apart = np.linalg.norm(said[candidate.momenta] - momenta, axis=-1)
    length = np.maximum(np.linalg.norm(momenta, axis=-1), candidate.unit)
    probabilities = [name for name in ("assignment", "confidence") if name in wanted]
    return {
        "events": len(momenta),
        "probability": max(
            float(np.max(np.abs(said[name] - wanted[name]), initial=0.0)) for name in probabilities
        ),
        "momentum": float(np.max(apart / length, initial=0.0)),
    }


def _refuse_different(rows: list[Row]) -> None:
    worst = max(rows, key=_badness)
    if _badness(worst) > 1:
        raise RootflowError(
            f"ONNX and Keras differ, so that nothing is exported: the {worst['variant']} variant "
            f"at batch size {worst['batch_size']} and {worst['jets']} jets, "
            f"by {worst['probability']:.1e} in probability (allowed {PROBABILITY_TOLERANCE:.0e}) "
            f"and {worst['momentum']:.1e} in momentum (allowed {MOMENTUM_TOLERANCE:.0e})"
        )


def _badness(row: Row) -> float:
    ratios = (row["probability"] / PROBABILITY_TOLERANCE, row["momentum"] / MOMENTUM_TOLERANCE)
    return max(math.inf if math.isnan(ratio) else ratio for ratio in ratios)
