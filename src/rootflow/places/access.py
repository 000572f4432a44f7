"""Reading files of servers, and waiting for servers that have gone for a moment."""

import hashlib
import io
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

from fsspec.asyn import sync
from fsspec.caching import ReadAheadCache

from rootflow.errors import InputError, UsageError
from rootflow.files import require_no_device
from rootflow.places.clients import client_of, token_for
from rootflow.places.failures import failure_of
from rootflow.places.place import HTTP, Place, Remote
from rootflow.progress import say

T = TypeVar("T")

PATIENCE = "ROOTFLOW_PATIENCE"
PATIENCE_SECONDS = 60.0
WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 5.0
# Read at once of a file that is read from its beginning on.
BLOCK_BYTES = 4 * 2**20
# What tells one state of a file from another, as the clients of protocols call it.
CHANGES = ("ETag", "mtime", "LastModified", "updated", "created")
# Servers that let nobody in without a token, and those that are waited for.
_asking_for_token: set[str] = set()
_away: set[str] = set()


class Status(NamedTuple):
    """How much a file holds, and what changes when it is changed: empty where nothing tells."""

    bytes: int
    changed: str


def status_of(place: Remote) -> Status:
    """Return the status of a file, which must be one that can be read in parts."""
    if place.protocol in HTTP:
        return ask(place, lambda client, url: _status_by_http(place, client, url))
    info = ask(place, lambda client, path: client.info(path))
    if info["type"] == "directory":
        raise InputError(f"{place}: it is a folder, not a file")
    changed = next(filter(None, map(info.get, CHANGES)), "")
    return Status(int(info["size"]), str(changed))


def _status_by_http(place: Remote, client: Any, url: str) -> Status:
    headers = sync(client.loop, _headers_of_first_byte, client, url)
    size = headers.get("Content-Range", "").rpartition("/")[2]
    if not size.isdigit():
        raise InputError(
            f"{place}: the server gives no parts of files (HTTP ranges): download the file, and "
            "name it where it is then"
        )
    return Status(int(size), headers.get("ETag") or headers.get("Last-Modified") or "")


async def _headers_of_first_byte(client: Any, url: str) -> Any:
    session = await client.set_session()
    headers = {"Range": "bytes=0-0"}
    async with session.get(client.encode_url(url), headers=headers, **client.kwargs) as answer:
        if answer.status == 416:  # there is no first byte
            return {"Content-Range": "bytes */0", **answer.headers}
        answer.raise_for_status()
        return answer.headers


def name_and_status(place: Place) -> tuple[str, Status]:
    """Return what names a file from wherever, and its status; of a path OSError says what is wrong.

    It does not have the query of a URL, which may be a secret.
    """
    if isinstance(place, Path):
        require_no_device(place)
        found = place.stat()
        return str(place.resolve()), Status(found.st_size, str(found.st_mtime_ns))
    asked = f"?{hashlib.sha256(place.query.encode()).hexdigest()[:16]}" if place.query else ""
    return f"{place}{asked}", status_of(place)


def read_ranges(place: Remote, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
    """Return the bytes of a file from each start to before each stop."""
    # As clients take them: XRootD's takes no numbers of numpy's.
    asked = [(int(start), int(stop)) for start, stop in ranges if start < stop]
    if not asked:
        return [b"" for _ in ranges]
    starts, stops = map(list, zip(*asked, strict=True))

    def read(client: Any, path: str) -> list[bytes]:
        found: list[bytes] = client.cat_ranges([path] * len(asked), starts, stops, on_error="raise")
        return found

    parts = ask(place, read)
    for part, (start, stop) in zip(parts, asked, strict=True):
        if len(part) != stop - start:
            raise InputError(
                f"{place}: the server sent {len(part)} bytes where {stop - start} were asked for: "
                "has the file been changed meanwhile?"
            )
    left = iter(parts)
    return [next(left) if start < stop else b"" for start, stop in ranges]


def release(place: Remote) -> None:
    """Have clients forget an open file, which may be another one when it is opened again."""
    client, path = client_of(place, _token_sent(place))
    # What cannot be closed is lost; nothing is waited for by who is forgotten in a client's loop.
    with suppress(OSError, NotImplementedError):
        client.invalidate_cache(path)


def open_binary(place: Place) -> BinaryIO:
    """Return a file to read bytes from, which seeks."""
    if isinstance(place, Path):
        return place.open("rb")
    return io.BufferedReader(_FarFile(place))


@contextmanager
def readable(place: Place) -> Iterator[Path | BinaryIO]:
    """Yield what libraries read from: the path of a file of this machine, else an open file.

    What was wrong with a server is raised as such, whatever the library made of it.
    """
    if isinstance(place, Path):
        yield place
        return
    far = _FarFile(place)
    with io.BufferedReader(far) as file:
        try:
            yield file
        except Exception:
            if far.failure is not None:
                raise far.failure from None
            raise


class _FarFile(io.RawIOBase):
    """A file of a server, of which some more is read than is asked for, and what went wrong."""

    def __init__(self, place: Remote) -> None:
        self.failure: Exception | None = None
        self._place = place
        self._size = status_of(place).bytes
        self._cache = ReadAheadCache(BLOCK_BYTES, self._fetch, self._size)
        self._at = 0

    def close(self) -> None:
        if not self.closed:
            release(self._place)
        super().close()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        stop = min(self._at + len(buffer), self._size)
        part = self._cache._fetch(self._at, stop) if stop > self._at else b""
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _fetch(self, start: int, stop: int) -> bytes:
        try:
            return read_ranges(self._place, [(start, stop)])[0]
        except Exception as error:
            self.failure = error
            raise


def ask(place: Remote, question: Callable[[Any, str], T]) -> T:
    """Return what is asked of a client about a file, by what it calls the file.

    A server that is away is asked again until patience ends, and one that lets nobody in again with
    the token of the environment.
    """
    until, wait = None, WAIT_SECONDS
    while True:
        sent = _token_sent(place)
        client, path = client_of(place, sent)
        try:
            answer = question(client, path)
        except Exception as error:
            failure = failure_of(place, error)
            if failure is None:
                raise
            if failure.is_refusal and token_for(place) != sent:
                _asking_for_token.add(place.host)
                continue
            if until is None:
                until = time.monotonic() + patience()
                if failure.may_pass and place.host not in _away:
                    _away.add(place.host)
                    say(f"{failure.error}; it is asked again for {patience():g} seconds")
            if not failure.may_pass or time.monotonic() + wait > until:
                raise failure.error from None
        else:
            _away.discard(place.host)
            return answer
        time.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT_SECONDS)
        release(place)


def _token_sent(place: Remote) -> str:
    return token_for(place) if place.host in _asking_for_token else ""


def patience() -> float:
    """Return for how many seconds a server that is away is asked again."""
    text = os.environ.get(PATIENCE) or str(PATIENCE_SECONDS)
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UsageError(f"{PATIENCE}: '{text}' is no number of seconds")
    return seconds
