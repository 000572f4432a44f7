"""Numbers that a dataset may hold: finite ones."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.plans import Part
from rootflow.errors import InputError
from rootflow.ntuple import Feature
from rootflow.ntuple.columns import at_event

# NaN says there that another reconstruction has no answer.
MAY_BE_NAN = "reconstructed_neutrinos"


def require_finite_arrays(
    path: Path, part: Part, features: Mapping[str, Sequence[Feature]]
) -> None:
    """Refuse selected events with what is not a number; the error says which, and of what."""
    for name, array in part.arrays.items():
        for column, values in _columns(name, array):
            finite = np.isfinite(values)
            if name == MAY_BE_NAN:
                finite |= np.isnan(values)
            if finite.all():
                continue
            row, *places = np.argwhere(~finite)[0]
            what = _named(column, int(places[-1]), features) if name in features else column
            said = f"{what} is {values[(row, *places)]}, which is no number"
            raise InputError(at_event(path, part.entries[row], part.in_words(row), said))


def require_finite(value: float, what: str) -> float:
    """Return a number of a sample where it is finite; else the error says what it is of."""
    if not math.isfinite(value):
        raise InputError(f"{what} is {value}, which is no number")
    return value


def _columns(name: str, array: NDArray[Any]) -> Iterator[tuple[str, NDArray[Any]]]:
    if array.dtype.names is not None:
        for field in array.dtype.names:
            yield f"{name} '{field}'", array[field]
    elif array.dtype.kind == "f":
        yield name, array


def _named(collection: str, place: int, features: Mapping[str, Sequence[Feature]]) -> str:
    feature = features[collection][place]
    branches = ", ".join(f"'{branch}'" for branch in feature.branches)
    origin = f"of branch {branches}" if branches else "computed of others"
    return f"{feature.name} of {collection}, {origin},"
