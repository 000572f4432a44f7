"""A checksum inside the file that it is of: every byte counts but its own 64 digits.

Whatever rootflow writes to read it again has one: ONNX and Parquet in their metadata, JSON as
its first entry, and archives (.keras, .skops, .npz) as their comment.
"""

import hashlib
import re
import zipfile
from pathlib import Path

from rootflow.errors import InputError
from rootflow.files import read_bytes

KEY = "rootflow.sha256"
UNSEALED = "0" * 64
COMMENT = f"{KEY}={UNSEALED}".encode()
# The key, and what is between it and its value: in ONNX and in Parquet the tag and the length.
DIGITS = re.compile(re.escape(KEY.encode()) + rb'(?:\x12\x40|\x18\x40|": "|=)([0-9a-f]{64})')
FIRST_ENTRY = re.compile(rb'\A\{\s*"' + re.escape(KEY.encode()) + rb'": "[0-9a-f]{64}",')
EXPORT_AGAIN = "fetch it anew or export the model again"


def seal(content: bytes) -> bytes:
    """Return what has the entry KEY: UNSEALED once, with its checksum."""
    start, stop = _place(content)
    return content[:start] + _digest(content, start, stop) + content[stop:]


def sealed_json(text: str) -> bytes:
    """Return an object of JSON with its checksum as the first entry."""
    beginning, rest = text.split("{", 1)
    return seal(f'{beginning}{{\n "{KEY}": "{UNSEALED}",{rest}\n'.encode())


def seal_archive(path: Path) -> None:
    """Put its checksum into a zip archive, which has no comment yet."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = COMMENT
    path.write_bytes(seal(path.read_bytes()))


def check_seal(content: bytes, where: str, again: str = EXPORT_AGAIN) -> None:
    """Refuse a file (`where`, in messages) that is not as it was written; say what to do again."""
    try:
        start, stop = _place(content)
    except ValueError:
        raise InputError(
            f"{where}: has no checksum ({KEY}), as files of this version of rootflow have: "
            f"it was altered, is damaged or is older; {again}"
        ) from None
    if content[start:stop] != _digest(content, start, stop):
        raise InputError(
            f"{where}: its checksum ({KEY}) is not that of its content: it was altered or is "
            f"damaged; {again}"
        )


def read_sealed(path: Path, again: str, called: str | None = None) -> bytes:
    """Return the content of a file that is as it was written, JSON without its checksum."""
    where = called or str(path)
    try:
        content = read_bytes(path)
    except OSError as error:
        raise InputError(f"{where}: cannot be read: {error.strerror}") from None
    check_seal(content, where, again)
    return FIRST_ENTRY.sub(b"{", content)


def _place(content: bytes) -> tuple[int, int]:
    found = list(DIGITS.finditer(content))
    if len(found) != 1:
        raise ValueError(f"{len(found)} entries {KEY}")
    return found[0].span(1)


def _digest(content: bytes, start: int, stop: int) -> bytes:
    blank = content[:start] + UNSEALED.encode() + content[stop:]
    return hashlib.sha256(blank).hexdigest().encode()
