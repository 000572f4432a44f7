"""What tells the content of a file from others, wherever it is: its size and its Adler-32.

It is what storage of the grid keeps of each file: a server may tell it, so that the file need not
be read for it.
"""

import os
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Literal

from fsspec.asyn import sync

from rootflow.places.access import ask, open_binary
from rootflow.places.place import HTTP, XROOTD, Place, Remote

ALGORITHM = "adler32"
ToldBy = Literal["read", "server"]
DIGITS = 8
READ_BYTES = 8 * 2**20
MODULUS = 65521


def adler32_of(place: Place, threads: int = 1) -> tuple[str, ToldBy]:
    """Return the checksum of a file in hexadecimal digits, and who told it.

    So many threads at most read a file of this machine.
    """
    if isinstance(place, Remote) and (told := told_adler32(place)):
        return told, "server"
    value = 1
    with open_binary(place) as file:
        if isinstance(place, Path):
            blocks = range(0, os.fstat(file.fileno()).st_size, READ_BYTES)
            with ThreadPoolExecutor(threads) as pool:
                for size, of_block in pool.map(partial(_of_block, file.fileno()), blocks):
                    value = _of_both(value, of_block, size)
        else:
            while block := file.read(READ_BYTES):
                value = zlib.adler32(block, value)
    return f"{value:0{DIGITS}x}", "read"


def _of_block(file: int, start: int) -> tuple[int, int]:
    block = os.pread(file, READ_BYTES, start)
    return len(block), zlib.adler32(block)


def _of_both(first: int, second: int, size: int) -> int:
    """Return the checksum of what is joined of two, where the second is of so many bytes.

    The lower half is one more than the sum of all bytes, the upper one the sum of the lower halves
    after each byte (RFC 1950).
    """
    low = (first & 0xFFFF) + (second & 0xFFFF) - 1
    high = (first >> 16) + (second >> 16) + size * ((first & 0xFFFF) - 1)
    return (high % MODULUS) << 16 | low % MODULUS


def told_adler32(place: Remote) -> str | None:
    """Return the checksum that a server tells, None where it tells none of this algorithm."""
    if place.protocol in XROOTD:
        return ask(place, _told_by_xrootd)
    if place.protocol in HTTP:
        told: str | None = ask(place, lambda http, url: sync(http.loop, _told_by_http, http, url))
        return told
    return None


def _told_by_xrootd(client: Any, path: str) -> str | None:
    from XRootD.client.flags import QueryCode

    status, answer = client._myclient.query(QueryCode.CHECKSUM, path, timeout=client.timeout)
    if not status.ok:
        return None  # whatever else is wrong is told where the file is read
    algorithm, _, digits = answer.rstrip(b"\0").decode().partition(" ")
    return _as_digits(digits) if algorithm.lower() == ALGORITHM else None


async def _told_by_http(client: Any, url: str) -> str | None:
    """Return what a server answers to Want-Digest, as RFC 3230 has it."""
    session = await client.set_session()
    headers = {"Want-Digest": ALGORITHM}
    async with session.head(client.encode_url(url), headers=headers, **client.kwargs) as answer:
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
