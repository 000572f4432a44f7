"""Columns of Arrow as awkward arrays of numbers that are all there.

`ak.from_arrow` of awkward 2.14.0 takes the validity of other entries where an array is a slice.
"""

import bisect
from collections.abc import Sequence
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa

from rootflow.errors import InputError
from rootflow.places import Place


class _MissingError(Exception):
    """A value is not there."""


def numbers_of(
    path: Place, name: str, column: pa.ChunkedArray, steps: Sequence[str], first_entry: int
) -> Any:
    """Return the numbers of a column whose first entry is this one, in the fields of these steps.

    Half precision becomes float32. A value that is missing is an InputError.
    """
    array = column.combine_chunks()
    try:
        return ak.Array(_layout(array, steps))
    except _MissingError:
        entry = bisect.bisect_left(
            range(len(array)), True, key=lambda place: _misses(array.slice(0, place + 1), steps)
        )
        raise InputError(
            f"{path}: branch '{name}' has no value in entry {first_entry + entry}: fill what is "
            "missing before it is written (ak.fill_none, or fillna of pandas)"
        ) from None


def _misses(array: pa.Array, steps: Sequence[str]) -> bool:
    try:
        _layout(array, steps)
    except _MissingError:
        return True
    return False


def _layout(array: pa.Array, steps: Sequence[str]) -> Any:
    if isinstance(array, pa.ExtensionArray):
        return _layout(array.storage, steps)
    if isinstance(array, pa.DictionaryArray):
        array = array.dictionary_decode()
    if array.null_count:
        raise _MissingError
    if isinstance(array, pa.StructArray):
        return _layout(array.field(steps[0]), steps[1:])
    if isinstance(array, pa.FixedSizeListArray):
        inner = _layout(array.flatten(), steps)
        return ak.contents.RegularArray(inner, array.type.list_size, len(array))
    if isinstance(array, pa.ListArray | pa.LargeListArray):
        offsets = np.asarray(array.offsets, np.int64)
        inner = _layout(array.flatten(), steps)
        return ak.contents.ListOffsetArray(ak.index.Index64(offsets - offsets[0]), inner)
    numbers = array.to_numpy(zero_copy_only=False)
    half = numbers.dtype == np.float16
    return ak.contents.NumpyArray(numbers.astype(np.float32) if half else numbers)
