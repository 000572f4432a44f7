"""Proof that an ONNX file says what the model says that it was made from."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from rootflow.errors import RootflowError
from rootflow.export.layout import OUTPUTS
from rootflow.export.samples import LARGEST
from rootflow.export.variant import Variant
from rootflow.exported.contract import TOLERANCES
from rootflow.exported.session import UNREADABLE, Arrays, open_session
from rootflow.progress import progress

Row = dict[str, Any]
# Small batches are repeated, so that each is tried on as many events at least.
EVENTS_AT_LEAST = 20


def prove(variants: Sequence[Variant], samples: Sequence[tuple[str, Arrays]]) -> list[Row]:
    """Compare each file with its model, see `compared`, and refuse those that differ.

    The RootflowError of a difference that is too large, or no number, names the worst row.
    """
    rows = compared(variants, samples)
    worst = max(rows, key=lambda row: max(_excess(row).values()))
    excess = _excess(worst)
    if max(excess.values()) > 1:
        apart = " and ".join(
            f"{worst[kind]:.1e} in {kind} (allowed {TOLERANCES[kind]:.0e})" for kind in excess
        )
        raise RootflowError(
            f"ONNX and the model differ, so that nothing is exported: {worst['file']} at batch "
            f"size {worst['batch_size']} on {worst['sample']}, by {apart}"
        )
    return rows


def compared(variants: Sequence[Variant], samples: Sequence[tuple[str, Arrays]]) -> list[Row]:
    """Compare each file with its model, by sample (its name, the inputs) and batch size.

    The rows have the largest difference of each kind of output, see `TOLERANCES`; a file that
    onnxruntime cannot run is a RootflowError.
    """
    rows: list[Row] = []
    count = len(samples) * sum(len(variant.batch_sizes) for variant in variants)
    with progress("parity", count, "rows") as advance:
        for variant in variants:
            with _refusing(variant.file):
                session = open_session(variant.graph.SerializeToString())
            for label, inputs in samples:
                feeds = variant.feeds(inputs)
                for size in variant.batch_sizes:
                    row = {
                        "file": variant.file,
                        "variant": variant.name,
                        "precision": variant.converted.precision,
                        "sample": label,
                        "batch_size": size,
                    }
                    rows.append(row | _of_size(variant, session, feeds, size))
                    advance()
    return rows


def _of_size(variant: Variant, session: InferenceSession, feeds: Arrays, size: int) -> Row:
    """Return how many events were given, so many at once, and the largest differences."""
    found: Row = {"events": 0}
    for part in _batches(feeds, size):
        count = min(map(len, part.values()))
        with _refusing(variant.file, size):
            said = variant.ask(session, part)
        # Some models take no less than one event: of none, nothing but the shape is known.
        some = part if count else {name: array[:1] for name, array in feeds.items()}
        wanted = {name: array[:count] for name, array in variant.expected(some).items()}
        found["events"] += count
        for name, array in wanted.items():
            if said[name].shape != array.shape:
                raise RootflowError(
                    f"ONNX and the model differ, so that nothing is exported: {variant.file} gives "
                    f"{name} {said[name].shape}, not {array.shape}"
                )
            kind, apart = OUTPUTS[name].kind, _apart(name, said[name], array, variant.one_gev)
            found[kind] = apart if math.isnan(apart) else max(found.get(kind, 0.0), apart)
    return found


def _apart(name: str, said: NDArray[Any], wanted: NDArray[Any], unit: float) -> float:
    exact = wanted.astype(np.float64)
    if OUTPUTS[name].kind != "momentum":
        return float(np.max(np.abs(said - exact), initial=0.0))
    length = np.maximum(np.linalg.norm(exact, axis=-1), unit)
    return float(np.max(np.linalg.norm(said - exact, axis=-1) / length, initial=0.0))


def _batches(feeds: Arrays, size: int) -> Iterator[Arrays]:
    """Yield every event in large batches, and some in each of the small ones."""
    count = min(map(len, feeds.values()))
    wanted = max(count, size) if size == LARGEST else max(size, EVENTS_AT_LEAST)
    for start in range(0, wanted if size else 1, size or 1):
        places = np.arange(start, start + size) % count
        yield {name: array[places] for name, array in feeds.items()}


def _excess(row: Row) -> dict[Any, float]:
    """Return each difference of a row in units of what is allowed."""
    ratios = {kind: row[kind] / limit for kind, limit in TOLERANCES.items() if kind in row}
    return {kind: math.inf if math.isnan(ratio) else ratio for kind, ratio in ratios.items()}


@contextmanager
def _refusing(what: str, size: int | None = None) -> Iterator[None]:
    """Say of what onnxruntime cannot open, or cannot run on so many events at once, what it is."""
    try:
        yield
    except UNREADABLE as error:
        reason = " ".join(str(error).split())
        batch = "" if size is None else f" on {size} events"
        raise RootflowError(
            f"onnxruntime cannot run {what}{batch}, so that nothing is exported: {reason}"
        ) from None
