"""Where a file is: a path of this machine, or a URL, which is safe to show."""

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from rootflow.errors import UsageError

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
HTTP = ("http", "https")
XROOTD = ("root", "roots", "xroot", "xroots")
# Elsewhere names may have question marks, and patterns have them.
QUERY_BY_NAME = re.compile(r"\?(?=[A-Za-z0-9_.-]+=|\$)")
QUERY = re.compile(r"[?#]")
VARIABLE = re.compile(r"\$(\w+)")


@dataclass(frozen=True, order=True)
class Remote:
    """A file of another machine.

    Its text never has what may be a secret: neither a user nor the query, such as the signature of
    a URL, which only `url` has.
    """

    url: str

    @property
    def protocol(self) -> str:
        """How it is asked for: what stands before ://."""
        return self.url.partition("://")[0].lower()

    @property
    def query(self) -> str:
        """What follows the path of the file, with the mark before it."""
        begin = (QUERY if self.protocol in HTTP else QUERY_BY_NAME).search(self.url)
        return self.url[begin.start() :] if begin else ""

    @property
    def host(self) -> str:
        """The server and its port, or whatever stands there, such as a bucket."""
        return self._bare.partition("://")[2].partition("/")[0].rpartition("@")[2]

    @property
    def path(self) -> str:
        """What follows the host, without the query."""
        _, slash, path = self._bare.partition("://")[2].partition("/")
        return slash + path

    @property
    def name(self) -> str:
        """The name of the file."""
        name = PurePosixPath(self.path).name
        return unquote(name) if self.protocol in HTTP else name

    @property
    def suffix(self) -> str:
        """The end of the name, from its last dot on."""
        return PurePosixPath(self.name).suffix

    def with_path(self, path: str) -> "Remote":
        """Return another file of the same server, asked for with the same query."""
        return Remote(self._bare.removesuffix(self.path) + path + self.query)

    def with_name(self, name: str) -> "Remote":
        """Return the file of this name in the same folder."""
        return self.with_path(self.path.rpartition("/")[0] + "/") / name

    def __truediv__(self, name: str) -> "Remote":
        folder = self.path if self.path.endswith("/") else f"{self.path}/"
        return self.with_path(folder + name)

    def __str__(self) -> str:
        return f"{self.protocol}://{self.host}{self.path}"

    def __repr__(self) -> str:
        return f"Remote({str(self)!r})"

    @property
    def _bare(self) -> str:
        return self.url.removesuffix(self.query)


Place = Path | Remote


def shown(value: Any) -> Any:
    """Return plain data with each URL as it may be shown, such as settings that are recorded."""
    if isinstance(value, dict):
        return {key: shown(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [shown(each) for each in value]
    if isinstance(value, str) and SCHEME.match(value):
        return str(Remote(value))
    return value


def _completed(place: Remote, setting: str) -> Remote:
    """Return a place with what the environment says where its query has $NAME."""

    def said(variable: re.Match[str]) -> str:
        if variable[1] not in os.environ:
            raise UsageError(f"{setting}: {place}: its query has ${variable[1]}, which is not set")
        return os.environ[variable[1]]

    query = VARIABLE.sub(said, place.query)
    return Remote(place.url.removesuffix(place.query) + query)


def place_of(text: str, setting: str) -> Place:
    """Return the place that a path or a URL names; the setting is where it is named.

    What its query has of $NAME the environment says. A URL that cannot be one, or that has a
    password, is a UsageError.
    """
    scheme = SCHEME.match(text)
    if scheme is None:
        return Path(text)
    protocol = scheme[1].lower()
    if protocol == "file":
        return Path(url2pathname(urlsplit(text).path))
    place = _completed(Remote(f"{protocol}{text[len(scheme[1]) :]}"), setting)
    if ":" in place.url.partition("://")[2].partition("/")[0].rpartition("@")[0]:
        raise UsageError(
            f"{setting}: {place}: a URL has no password: credentials come by the environment "
            "(X509_USER_PROXY, KRB5CCNAME, BEARER_TOKEN, AWS_*)"
        )
    if not place.host:
        raise UsageError(f"{setting}: {place} names no server: {protocol}://HOST/PATH does")
    if protocol in XROOTD and not place.path.startswith("//"):
        raise UsageError(
            f"{setting}: {place}: an absolute path has two slashes after the server: "
            f"{protocol}://{place.host}/{place.path or '/PATH'}"
        )
    return place
