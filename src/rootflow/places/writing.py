"""Files that are written to wherever: there whole or not at all."""

import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from rootflow.errors import InputError, RootflowError
from rootflow.files import PARTIAL
from rootflow.places.access import ask, release, status_of
from rootflow.places.content import adler32_of, told_adler32
from rootflow.places.failures import MissingError
from rootflow.places.place import HTTP, XROOTD, Place, Remote

# Where a file appears when all of it has come; elsewhere it gets its name then.
WHOLE_BY_THEMSELVES = (*HTTP, "s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oci")
ALREADY_THERE = "[3018]"


def exists(place: Place) -> bool:
    """Return whether there is anything of this name."""
    if isinstance(place, Path):
        return place.exists()
    try:
        status_of(place)
    except MissingError:
        return False
    return True


def put(path: Path, place: Place) -> None:
    """Move a file of this machine to its place, in which another one may be.

    What a server tells of it then must be of the same. A RootflowError says what went wrong; then
    the file stays.
    """
    if isinstance(place, Path):
        path.replace(place)
        return
    try:
        if place.protocol in WHOLE_BY_THEMSELVES:
            method = {"method": "put"} if place.protocol in HTTP else {}
            ask(place, lambda client, name: client.put_file(str(path), name, **method))
            _require_same(path, place)
        else:
            _put_and_rename(path, place)
    except InputError as error:
        raise RootflowError(f"cannot write it: {error}") from None
    release(place)
    path.unlink()


def _put_and_rename(path: Path, place: Remote) -> None:
    partial = place.with_name(f".{place.name}{PARTIAL}{secrets.token_hex(4)}")
    copy = _copy_by_xrootd if place.protocol in XROOTD else _copy
    try:
        ask(partial, lambda client, name: copy(client, path, partial, name))
        _require_same(path, partial)
        ask(place, lambda client, name: _rename(client, partial, name))
    except RootflowError:
        with suppress(RootflowError):
            ask(partial, lambda client, name: client.rm_file(name))
        raise


def _copy(client: Any, path: Path, place: Remote, name: str) -> None:  # noqa: ARG001 - as XRootD's
    client.makedirs(client._parent(name), exist_ok=True)
    client.put_file(str(path), name)


def _copy_by_xrootd(client: Any, path: Path, place: Remote, name: str) -> None:  # noqa: ARG001
    from XRootD.client import CopyProcess

    copying = CopyProcess()
    copying.add_job(str(path.resolve()), place.url, force=True, mkdir=True)
    for status in (copying.prepare(), copying.run()[0]):
        if not status.ok:
            raise OSError(status.message)


def _rename(client: Any, place: Remote, new: str) -> None:
    old = client._strip_protocol(place.url)
    try:
        client.mv(old, new)
    except OSError as error:
        if ALREADY_THERE not in str(error):
            raise
        client.rm_file(new)
        client.mv(old, new)


def _require_same(path: Path, place: Remote) -> None:
    """Refuse what came to a server otherwise than it was sent, as far as the server tells."""
    told = told_adler32(place)
    size = status_of(place).bytes
    if size != path.stat().st_size or told not in (None, adler32_of(path)[0]):
        raise RootflowError(f"{place}: what the server has is not what was sent: apply again")
