"""Asking servers for files: patiently, and with settings under which a lost one comes back."""

import hashlib
import io
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

import fsspec
from fsspec.caching import ReadAheadCache

from rootflow.errors import InputError, UsageError
from rootflow.files import require_no_device
from rootflow.places.failures import failure_of
from rootflow.places.place import HTTP, XROOTD, Place, Remote

T = TypeVar("T")

PATIENCE = "ROOTFLOW_PATIENCE"
PATIENCE_SECONDS = 60.0
WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 5.0
# For one answer; a patient reader asks again.
ANSWER_SECONDS = 30
CONNECT_SECONDS = 10
# Read at once of a file that is read from its beginning on.
BLOCK_BYTES = 4 * 2**20
REQUESTS_AT_ONCE = 16
# Of XRootD's client, whose defaults wait for minutes, and then refuse a server that is back for
# half an hour: https://xrootd.org/docs/xrdcl
XROOTD_SETTINGS = {
    "XRD_CONNECTIONWINDOW": "3",
    "XRD_CONNECTIONRETRY": "2",
    "XRD_STREAMERRORWINDOW": "0",
    "XRD_REQUESTTIMEOUT": str(ANSWER_SECONDS),
    "XRD_TIMEOUTRESOLUTION": "1",
}


class Status(NamedTuple):
    """How much a file holds, and what changes when it is changed: empty where nothing tells."""

    bytes: int
    changed: str


def status_of(place: Remote) -> Status:
    """Return the status of a file, which must be one that can be read in parts."""
    fs, path = filesystem(place)
    if place.protocol in HTTP:
        return patiently(place, lambda: _http_status(place, fs))
    info = patiently(place, lambda: fs.info(path))
    if info["type"] == "directory":
        raise InputError(f"{place}: it is a folder, not a file")
    changes = (info.get(key) for key in ("ETag", "mtime", "LastModified", "updated", "created"))
    return Status(int(info["size"]), str(next(filter(None, changes), "")))


def name_and_status(place: Place) -> tuple[str, Status]:
    """Return what names a file wherever one is, and its status; OSError says what is wrong."""
    if isinstance(place, Path):
        require_no_device(place)
        found = place.stat()
        return str(place.resolve()), Status(found.st_size, str(found.st_mtime_ns))
    asked = f"?{hashlib.sha256(place.query.encode()).hexdigest()[:16]}" if place.query else ""
    return f"{place}{asked}", status_of(place)


def read_ranges(place: Remote, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
    """Return the bytes of a file from each start to before each stop."""
    fs, path = filesystem(place)
    starts, stops = ([int(edge) for edge in edges] for edges in zip(*ranges, strict=True))

    def ask() -> list[bytes]:
        parts: list[bytes] = fs.cat_ranges([path] * len(starts), starts, stops, on_error="raise")
        for part, start, stop in zip(parts, starts, stops, strict=True):
            if len(part) != stop - start:
                raise InputError(
                    f"{place}: of bytes {start} to {stop} the server sent {len(part)}: it has "
                    "been changed meanwhile, or is not whole"
                )
        return parts

    return patiently(place, ask, lambda: fs.invalidate_cache(path))


def open_binary(place: Place) -> BinaryIO:
    """Return a file to read bytes from, which seeks."""
    if isinstance(place, Path):
        return place.open("rb")
    return io.BufferedReader(_FarFile(place), buffer_size=1)


@contextmanager
def readable(place: Place) -> Iterator[Path | BinaryIO]:
    """Yield what libraries read from: the path of a file of this machine, else a file."""
    if isinstance(place, Path):
        yield place
    else:
        with open_binary(place) as file:
            yield file


class _FarFile(io.RawIOBase):
    """A file of a server, of which some more is read than is asked for."""

    def __init__(self, place: Remote) -> None:
        self.name = str(place)
        self._size = status_of(place).bytes
        self._cache = ReadAheadCache(
            BLOCK_BYTES, lambda start, stop: read_ranges(place, [(start, stop)])[0], self._size
        )
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        stop = min(self._at + len(buffer), self._size)
        part = self._cache._fetch(self._at, stop) if stop > self._at else b""
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


def filesystem(place: Remote) -> tuple[Any, str]:
    """Return what asks for the files of a server, and what it calls this one."""
    fs = _filesystem(place.protocol, place.host if place.protocol in XROOTD else "", os.getpid())
    return fs, fs._strip_protocol(place.url)


@cache
def _filesystem(protocol: str, host: str, process: int) -> Any:  # noqa: ARG001 - of each its own
    options: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True}
    if protocol in XROOTD:
        for name, value in XROOTD_SETTINGS.items():
            os.environ.setdefault(name, value)
        protocol = "root"
        options |= {"hostid": host, "timeout": ANSWER_SECONDS, "filehandle_cache_ttl": 3600}
    try:
        if protocol in HTTP:
            options |= _http_options()
        return fsspec.filesystem(protocol, **options)
    except ImportError as error:
        packages = "'rootflow[remote]'" if protocol in ("root", *HTTP) else ""
        how = f"pip install {packages}" if packages else str(error)
        raise UsageError(f"{protocol}:// needs a package that is not there: {how}") from None
    except ValueError as error:
        raise UsageError(f"{protocol}:// cannot be read: {error}") from None


def _http_options() -> dict[str, Any]:
    import aiohttp

    waits = aiohttp.ClientTimeout(
        total=None, sock_connect=CONNECT_SECONDS, sock_read=ANSWER_SECONDS
    )
    return {
        "client_kwargs": {
            "timeout": waits,
            "headers": {"Accept-Encoding": "identity"},
            "trust_env": True,
        }
    }


def _http_status(place: Remote, fs: Any) -> Status:
    headers = fsspec.asyn.sync(fs.loop, _first_byte, fs, place.url)
    size = headers.get("Content-Range", "").rpartition("/")[2]
    if not size.isdigit():
        raise InputError(
            f"{place}: the server does not give parts of a file (HTTP ranges): download it, and "
            "name the file here"
        )
    return Status(int(size), headers.get("ETag") or headers.get("Last-Modified") or "")


async def _first_byte(fs: Any, url: str) -> Any:
    """Return the headers of an answer to who asks for the first byte."""
    session = await fs.set_session()
    async with session.get(fs.encode_url(url), headers={"Range": "bytes=0-0"}) as answer:
        if answer.status == 416:  # there is none: the file is empty
            return {"Content-Range": "bytes */0", **answer.headers}
        answer.raise_for_status()
        return answer.headers


def patiently(place: Remote, ask: Callable[[], T], before_again: Callable[[], Any] = int) -> T:
    """Return what is asked for; a server that is away is asked again until patience ends."""
    until, wait = None, WAIT_SECONDS
    while True:
        try:
            return ask()
        except Exception as error:
            failure = failure_of(place, error)
            if failure is None:
                raise
            now = time.monotonic()
            until = until or now + patience()
            if not failure.may_pass or now + wait > until:
                raise failure.error from None
        time.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT_SECONDS)
        with suppress(TimeoutError, OSError):  # what cannot be closed is lost
            before_again()


def patience() -> float:
    """Return for how many seconds a server that is away is asked again."""
    text = os.environ.get(PATIENCE, "")
    try:
        seconds = float(text or PATIENCE_SECONDS)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UsageError(f"{PATIENCE}: '{text}' is no number of seconds")
    return seconds
