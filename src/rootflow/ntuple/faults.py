"""Telling what a broken ROOT file makes go wrong from what else may go wrong as it is read."""

import functools
import io
import struct
import traceback
import zlib

import awkward as ak
import numpy as np
import uproot
from cramjam import DecompressionError

# What says by itself that bytes are not what ROOT wrote.
OF_BYTES = (
    uproot.DeserializationError,
    DecompressionError,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
)
# What uproot raises, too, where it takes such bytes for something else.
MISUNDERSTOOD = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    UnboundLocalError,
    ValueError,
)
BROKEN = (*OF_BYTES, *MISUNDERSTOOD)
PACKAGE = __name__.partition(".")[0]


def is_of_file(error: BaseException) -> bool:
    """Return whether an error of reading is one that only a broken file gives.

    It is none where it was raised by this package, as a mistake in a call of uproot is, nor
    where uproot cannot read a whole file either.
    """
    if isinstance(error, OF_BYTES):
        return True
    names = [
        str(frame.f_globals.get("__name__")).partition(".")[0]
        for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    below = names[len(names) - names[::-1].index(PACKAGE) :] if PACKAGE in names else names
    return uproot.__name__ in below and _reads_a_whole_file()


def _reads_a_whole_file() -> bool:
    try:
        with uproot.open(io.BytesIO(_whole_file()), array_cache=None) as file:
            tree = file["tree"]
            arrays = tree.arrays(how=dict)
            return bool(tree.common_entry_offsets()) and ak.to_list(arrays["list"]) == [[1.0], []]
    except Exception:  # whichever: it is not that of the file that was asked for
        return False


@functools.cache
def _whole_file() -> bytes:
    content = io.BytesIO()
    with uproot.recreate(content) as file:
        tree = file.mktree("tree", {"number": "int64", "list": "var * float32"})
        tree.extend({"number": np.arange(2), "list": ak.Array([[1.0], []])})
        return content.getvalue()
