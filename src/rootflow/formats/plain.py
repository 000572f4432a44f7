"""Arrays of any format as numbers that are all there, in types that all else takes."""

import bisect
from typing import Any

import awkward as ak
import numpy as np

from rootflow.errors import InputError
from rootflow.places import Place


class _MissingError(Exception):
    """A value is not there."""


def plain(path: Place, name: str, array: Any, first_entry: int) -> Any:
    """Return a branch's array, whose first entry is this one, without options and categories.

    Numbers of half precision become float32. A value that is missing is an InputError.
    """
    try:
        return ak.Array(_plain(array.layout))
    except _MissingError:
        entry = bisect.bisect_left(
            range(len(array)), True, key=lambda place: _misses(array[: place + 1])
        )
        raise InputError(
            f"{path}: branch '{name}' has no value in entry {first_entry + entry}: fill what is "
            "missing before it is written (ak.fill_none, or fillna of pandas)"
        ) from None


def _misses(array: Any) -> bool:
    try:
        _plain(array.layout)
    except _MissingError:
        return True
    return False


def _plain(layout: Any) -> Any:
    if layout.is_option:
        if layout.mask_as_bool(valid_when=False).any():
            raise _MissingError
        return _plain(layout.project())
    if layout.is_indexed:
        return _plain(layout.project())
    if layout.is_list and layout.parameter("__array__") is None:
        if not layout.is_regular:
            layout = layout.to_ListOffsetArray64(True)
            layout = layout.copy(content=layout.content[: layout.offsets[-1]])
        return layout.copy(content=_plain(layout.content))
    if layout.is_record:
        return layout.copy(contents=[_plain(content) for content in layout.contents])
    if layout.is_numpy and layout.dtype == np.float16:
        return ak.contents.NumpyArray(layout.data.astype(np.float32))
    return layout
