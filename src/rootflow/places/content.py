"""What tells the content of a file from others, wherever it is: its size and its Adler-32.

It is what storage of the grid keeps of each file: a server may tell it, so that the file has not to
be read for it.
"""

import zlib
from functools import partial
from typing import Any, Literal

import fsspec

from rootflow.places.access import filesystem, open_binary, patiently
from rootflow.places.place import HTTP, XROOTD, Place, Remote

ALGORITHM = "adler32"
ToldBy = Literal["read", "server"]
DIGITS = 8
READ_BYTES = 8 * 2**20


def adler32_of(place: Place) -> tuple[str, ToldBy]:
    """Return the checksum of a file in hexadecimal digits, and who told it."""
    if isinstance(place, Remote) and (told := _told(place)):
        return told, "server"
    value = 1
    with open_binary(place) as file:
        while block := file.read(READ_BYTES):
            value = zlib.adler32(block, value)
    return f"{value:0{DIGITS}x}", "read"


def _told(place: Remote) -> str | None:
    """Return the checksum that a server tells, None where it tells none of this algorithm."""
    fs, path = filesystem(place)
    if place.protocol in XROOTD:
        return patiently(place, lambda: _told_by_xrootd(fs, path))
    if place.protocol in HTTP:
        ask = partial(fsspec.asyn.sync, fs.loop, _told_by_http, fs, place.url)
        told: str | None = patiently(place, ask)
        return told
    return None


def _told_by_xrootd(fs: Any, path: str) -> str | None:
    from XRootD.client.flags import QueryCode

    status, answer = fs._myclient.query(QueryCode.CHECKSUM, path, timeout=fs.timeout)
    if not status.ok:
        return None  # it keeps none: whatever else is wrong is told where the file is read
    algorithm, digits = answer.rstrip(b"\0").decode().split()[:2]
    return _as_digits(digits) if algorithm.lower() == ALGORITHM else None


async def _told_by_http(fs: Any, url: str) -> str | None:
    """Return what a server answers to Want-Digest, as RFC 3230 has it."""
    session = await fs.set_session()
    async with session.head(fs.encode_url(url), headers={"Want-Digest": ALGORITHM}) as answer:
        given = answer.headers.get("Digest", "") if answer.ok else ""
    for each in given.split(","):
        algorithm, _, digits = each.strip().partition("=")
        if algorithm.lower() == ALGORITHM:
            return _as_digits(digits)
    return None


def _as_digits(text: str) -> str | None:
    try:
        value = int(text, 16)
    except ValueError:
        return None
    return f"{value:0{DIGITS}x}" if value < 2 ** (4 * DIGITS) else None
