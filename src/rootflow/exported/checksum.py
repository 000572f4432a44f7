"""A checksum inside the file that it is of: every byte counts but its own 64 digits."""

import hashlib
import re

from rootflow.errors import InputError

KEY = "rootflow.sha256"
UNSEALED = "0" * 64
# An entry of the metadata as protobuf writes it: the key, then tag and length of its value.
DIGITS = re.compile(re.escape(KEY.encode()) + rb"\x12\x40([0-9a-f]{64})")


def seal(content: bytes) -> bytes:
    """Return a serialised ONNX model, with the metadata KEY: UNSEALED, with its checksum."""
    start, stop = _place(content)
    return content[:start] + _digest(content, start, stop) + content[stop:]


def check_seal(content: bytes, where: str) -> None:
    """Refuse a file that is not as it was written.

    Raises
    ------
    InputError
        It has no checksum, or not that of its content.
    """
    try:
        start, stop = _place(content)
    except ValueError:
        raise InputError(
            f"{where}: has no checksum ({KEY}), as files of this version of rootflow have: "
            "it was altered or is older; export the model again"
        ) from None
    if content[start:stop] != _digest(content, start, stop):
        raise InputError(
            f"{where}: its checksum ({KEY}) is not that of its content: it was altered or is "
            "damaged; fetch it anew or export the model again"
        )


def _place(content: bytes) -> tuple[int, int]:
    found = list(DIGITS.finditer(content))
    if len(found) != 1:
        raise ValueError(f"{len(found)} entries {KEY}")
    return found[0].span(1)


def _digest(content: bytes, start: int, stop: int) -> bytes:
    blank = content[:start] + UNSEALED.encode() + content[stop:]
    return hashlib.sha256(blank).hexdigest().encode()
