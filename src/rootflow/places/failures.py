"""What servers and their clients say when something is wrong, in the words of rootflow."""

import asyncio
import re
from typing import NamedTuple

from rootflow.errors import AwayError, InputError, RootflowError
from rootflow.places.place import HTTP, XROOTD, Remote

# What a server says of itself, and of too many requests: it may do better later.
MAY_PASS = {408, 425, 429, 500, 502, 503, 504}
# Of what XRootD's servers answer, by number: kXR_NotFound, kXR_NotAuthorized and kXR_isDirectory.
MISSING, REFUSED, FOLDER = "3011", "3010", "3016"
# Its clients say so of servers that may be back: see XrdClStatus.hh.
LOST = re.compile(
    r"connection|socket|operation expired|timeout|timed out|interrupted|"
    r"no servers|try again|server unavailable|\[(3007|3008|3012|3024|3031)\]",
    re.IGNORECASE,
)
AUTHENTICATION = re.compile(r"auth failed|authentication|no protocols left", re.IGNORECASE)
# Of the packages that speak to servers: whatever they raise that is not an answer is of the way.
CLIENTS = ("aiohttp", "botocore", "aiobotocore", "fsspec", "urllib3", "requests")
CREDENTIALS = {
    **dict.fromkeys(XROOTD, "X509_USER_PROXY, KRB5CCNAME (kinit) or BEARER_TOKEN"),
    **dict.fromkeys(HTTP, "BEARER_TOKEN or X509_USER_PROXY, or the signature of the URL"),
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
}


class Failure(NamedTuple):
    """The error that a user sees, and whether what is wrong may pass."""

    error: RootflowError
    may_pass: bool


def failure_of(place: Remote, error: BaseException) -> Failure | None:
    """Return what an error says of a place, None where it is no server's and no client's."""
    if isinstance(error, RootflowError):
        return Failure(error, may_pass=False)
    said = f"{type(error).__name__} {error}"
    status = getattr(error, "status", None)
    number = re.search(r"\[(\d{4})\]", said)
    code = number[1] if number and place.protocol in XROOTD else ""
    if isinstance(error, FileNotFoundError) or code == MISSING or status in (404, 410):
        return Failure(InputError(f"{place}: there is no such file"), may_pass=False)
    if isinstance(error, IsADirectoryError) or code == FOLDER:
        return Failure(InputError(f"{place}: it is a folder, not a file"), may_pass=False)
    if (
        isinstance(error, PermissionError)
        or code == REFUSED
        or status in (401, 403)
        or type(error).__name__ == "NoCredentialsError"
        or (place.protocol in XROOTD and AUTHENTICATION.search(said))
    ):
        hint = CREDENTIALS.get(place.protocol, "what its client asks for")
        answer = f" ({status})" if status else ""
        return Failure(
            InputError(
                f"{place}: the server does not let you{answer}: credentials come by the "
                f"environment: {hint}"
            ),
            may_pass=False,
        )
    if isinstance(status, int) and status >= 400 and status not in MAY_PASS:
        return Failure(InputError(f"{place}: the server answers {status}"), may_pass=False)
    if place.protocol in XROOTD and isinstance(error, OSError) and not LOST.search(said):
        return Failure(InputError(f"{place}: {_reason(place, error)}"), may_pass=False)
    of_client = type(error).__module__.partition(".")[0] in CLIENTS
    if of_client or isinstance(error, OSError | asyncio.TimeoutError):
        what = f"it answers {status}" if status else _reason(place, error)
        return Failure(AwayError(f"{place}: the server is away: {what}"), may_pass=True)
    return None


def _reason(place: Remote, error: BaseException) -> str:
    """Return what an error says in one line, without what may be a secret."""
    said = " ".join(str(error).split()) or type(error).__name__
    said = said.replace(place.url, str(place))
    return said.replace(place.query, "") if place.query else said
