"""What servers and their clients say when something is wrong, in the words of rootflow."""

import asyncio
import re
import socket
import ssl
from typing import NamedTuple

from rootflow.errors import AwayError, InputError, RootflowError
from rootflow.places.place import HTTP, XROOTD, Remote

# What a server says of itself, and of too many requests: it may do better later.
MAY_PASS = (408, 425, 429, 500, 502, 503, 504)
MISSING, REFUSED = (404, 410), (401, 403)
# Answers of XRootD's servers, by number: https://github.com/xrootd/xrootd, XProtocol/XProtocol.hh.
CODE = re.compile(r"\[(3\d{3})\]")
XROOTD_MISSING, XROOTD_FOLDER = ("3011",), ("3015", "3016")
XROOTD_REFUSED = ("3010", "3030")
XROOTD_MAY_PASS = ("3004", "3007", "3008", "3012", "3014", "3020", "3024")
# What its client says, which has no numbers for it.
XROOTD_LOST = re.compile(
    r"connection|socket|stream|operation expired|interrupted|timeout|timed out", re.IGNORECASE
)
XROOTD_NOT_LET = re.compile(r"auth failed|authentication", re.IGNORECASE)
# What clients say before that, and of themselves.
NOISE = re.compile(r"^.*?(?=\[(FATAL|ERROR)\])|ssl:(default|True|<[^>]*>) ?")
# Other URLs in what they say, such as one that a server leads to, have secrets of their own.
URL = re.compile(r"(?<=://)(?:[^\s/@?#]*@)?([^\s?#'\"]*)(?:[?#][^\s'\"]*)?")
# Packages that speak to servers: what they raise that is no answer is of the way there.
CLIENTS = ("aiohttp", "botocore", "aiobotocore", "fsspec")
CREDENTIALS = {
    **dict.fromkeys(XROOTD, "X509_USER_PROXY, KRB5CCNAME (kinit) or BEARER_TOKEN"),
    **dict.fromkeys(HTTP, "BEARER_TOKEN (over https) or X509_USER_PROXY; or a signed URL"),
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
}


class MissingError(InputError):
    """There is no such file."""


class Failure(NamedTuple):
    """The error that a user sees; whether what is wrong may pass; whether a credential may help."""

    error: RootflowError
    may_pass: bool = False
    is_refusal: bool = False


def failure_of(place: Remote, error: Exception) -> Failure | None:
    """Return what an error says of a place, None where it is neither a server's nor a client's."""
    if isinstance(error, RootflowError):
        return Failure(error)
    status = getattr(error, "status", None)
    found = CODE.search(str(error)) if place.protocol in XROOTD else None
    answered = _answer(place, error, status, found[1] if found else "")
    if answered is not None:
        return answered
    of_client = type(error).__module__.partition(".")[0] in CLIENTS
    if not (of_client or isinstance(error, OSError | asyncio.TimeoutError)):
        return None
    what = f"it answers {status}" if status else _reason(place, error)
    return Failure(AwayError(f"{place}: the server is away: {what}"), may_pass=True)


def _answer(place: Remote, error: Exception, status: int | None, code: str) -> Failure | None:
    """Return what will be the same whenever it is asked for, None of what may pass."""
    if isinstance(error, FileNotFoundError) or code in XROOTD_MISSING or status in MISSING:
        return Failure(MissingError(f"{place}: there is no such file"))
    if isinstance(error, IsADirectoryError) or code in XROOTD_FOLDER:
        what = "it is a folder, not a file"
    elif status in REFUSED or _is_refusal(place, error, code):
        hint = CREDENTIALS.get(place.protocol, "see the documentation of its client")
        said = f"answers {status}" if status else "does not let you"
        text = f"{place}: the server {said}: credentials come by the environment: {hint}"
        return Failure(InputError(text), is_refusal=True)
    elif isinstance(error, ssl.SSLCertVerificationError):
        reason = getattr(error, "certificate_error", error)
        what = (
            f"the server's certificate is not trusted: {_reason(place, reason)}: name the "
            "authorities that are in SSL_CERT_FILE or X509_CERT_DIR"
        )
    elif status is not None and status >= 400 and status not in MAY_PASS:
        what = f"the server answers {status}"
    elif _is_unknown_host(error):
        what = f"there is no server {place.host}"
    elif place.protocol in XROOTD and isinstance(error, OSError) and not _is_lost(error, code):
        what = _reason(place, error)
    else:
        return None
    return Failure(InputError(f"{place}: {what}"))


def _is_lost(error: Exception, code: str) -> bool:
    return code in XROOTD_MAY_PASS if code else bool(XROOTD_LOST.search(str(error)))


def _is_refusal(place: Remote, error: Exception, code: str) -> bool:
    by_text = place.protocol in XROOTD and not code and XROOTD_NOT_LET.search(str(error))
    return (
        isinstance(error, PermissionError)
        or code in XROOTD_REFUSED
        or type(error).__name__ == "NoCredentialsError"
        or bool(by_text)
    )


def _is_unknown_host(error: Exception) -> bool:
    inner = getattr(error, "os_error", error)
    return isinstance(inner, socket.gaierror) and inner.errno == socket.EAI_NONAME


def _reason(place: Remote, error: BaseException) -> str:
    """Return what an error says in one line, without what may be a secret."""
    said = " ".join(str(error).split()) or type(error).__name__
    said = NOISE.sub("", said)
    for secret, shown in ((place.url, str(place)), (place.query, "")):
        said = said.replace(secret, shown) if secret else said
    return URL.sub(r"\1", said)
