"""What asks servers for files: of each protocol that of fsspec, with settings of its own."""

import os
import ssl
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import fsspec

from rootflow.errors import UsageError
from rootflow.places.place import HTTP, XROOTD, Remote

# For one answer; who is patient asks again.
ANSWER_SECONDS = 30
CONNECT_SECONDS = 10
# Else XRootD's client waits eight minutes for a server that has gone, and refuses one that is back
# for half an hour.
XROOTD_SETTINGS = {
    "XRD_CONNECTIONWINDOW": "3",
    "XRD_CONNECTIONRETRY": "2",
    "XRD_STREAMERRORWINDOW": "0",
    "XRD_REQUESTTIMEOUT": str(ANSWER_SECONDS),
    "XRD_TIMEOUTRESOLUTION": "1",
}
IDLE_SECONDS = 3600
PROXY, AUTHORITIES = "X509_USER_PROXY", "X509_CERT_DIR"
TOKEN, TOKEN_FILE = "BEARER_TOKEN", "BEARER_TOKEN_FILE"
EXTRA = "'rootflow[remote]'"
PACKAGES = {**dict.fromkeys((*XROOTD, *HTTP), EXTRA), "s3": "s3fs"}


def client_of(place: Remote, token: str = "") -> tuple[Any, str]:
    """Return what asks for the files of a server, with this token, and what it calls this one."""
    host = place.host if place.protocol in XROOTD else ""
    client = _client(place.protocol, host, token, os.getpid())
    return client, client._strip_protocol(_as_known(place.url))


def token_for(place: Remote) -> str:
    """Return the token that the environment names, as WLCG has it: empty where it names none.

    It goes over TLS alone.
    """
    if place.protocol != "https":
        return ""
    if token := os.environ.get(TOKEN, "").strip():
        return token
    if not (file := os.environ.get(TOKEN_FILE, "")):
        return ""
    try:
        return Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{TOKEN_FILE}: {file} cannot be read: {type(error).__name__}") from None


def _as_known(url: str) -> str:
    """Return a URL of one of XRootD's protocols as that which fsspec knows."""
    protocol, _, rest = url.partition("://")
    return f"root://{rest}" if protocol in XROOTD else url


@cache
def _client(protocol: str, host: str, token: str, process: int) -> Any:  # noqa: ARG001 - of each process its own
    options: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    try:
        if protocol in XROOTD:
            options |= _xrootd_options(host)
            return fsspec.filesystem("root", **options)
        if protocol in HTTP:
            options |= _http_options(token)
        return fsspec.filesystem(protocol, **options)
    except ImportError as error:
        how = f"pip install {PACKAGES[protocol]}" if protocol in PACKAGES else str(error)
        raise UsageError(f"{protocol}:// needs a package that is not there: {how}") from None
    except ValueError as error:
        raise UsageError(f"{protocol}:// cannot be read: {error}") from None


def _xrootd_options(host: str) -> Mapping[str, Any]:
    for name, value in XROOTD_SETTINGS.items():
        os.environ.setdefault(name, value)
    _load_xrootd()
    return {"hostid": host, "timeout": ANSWER_SECONDS, "filehandle_cache_ttl": IDLE_SECONDS}


def _load_xrootd() -> None:
    """Load XRootD's client so that it finds its own symbols before those of TensorFlow.

    Loaded after TensorFlow 2.21 the client 6.2.1 ends the process by SIGSEGV otherwise.
    """
    flags = sys.getdlopenflags()
    sys.setdlopenflags(flags | getattr(os, "RTLD_DEEPBIND", 0))
    try:
        import XRootD.client  # noqa: F401
    finally:
        sys.setdlopenflags(flags)


def _http_options(token: str) -> Mapping[str, Any]:
    import aiohttp

    headers = {"Accept-Encoding": "identity"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    waits = aiohttp.ClientTimeout(
        total=None, sock_connect=CONNECT_SECONDS, sock_read=ANSWER_SECONDS
    )
    session = {"timeout": waits, "headers": headers, "trust_env": True}
    return {"client_kwargs": session, "ssl": _tls()}


def _tls() -> ssl.SSLContext:
    """Return what servers are trusted, and by which certificate they know the user."""
    context = ssl.create_default_context()
    if folder := os.environ.get(AUTHORITIES):
        context.load_verify_locations(capath=folder)
    if proxy := os.environ.get(PROXY):
        try:
            context.load_cert_chain(proxy)
        except OSError as error:
            raise UsageError(f"{PROXY}: {proxy} is no proxy that can be read: {error}") from None
    return context
