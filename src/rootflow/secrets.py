"""Secrets: which values are some, and text without them."""

import os
import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

HIDDEN = "***"
# Of variables whose value lets one in; those that end otherwise say where such a value is.
NAME = re.compile(
    r"(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|SIGNATURE|(?:^|_|API)KEY)S?(?:_|$)",
    re.IGNORECASE,
)
PLACE = re.compile(r"_(?:FILE|PATH|DIR|DIRECTORY|CACHE)$", re.IGNORECASE)
# What is shorter may stand in any text.
LEAST = 4
# Databases take passwords with any character but a space; what is like a port is none.
PASSWORD = re.compile(r"(?<=://)([^\s/?#:@'\"]*):(?!\d+(?:[/?#,]|$))((?:(?!://)[^\s'\"])*)@")
# As servers of code take one in the place of a user.
USER = re.compile(r"(?<=http://|ttps://)[^\s/?#:@'\"]+@")
QUERY = re.compile(
    r"(?<=[?&])([\w.-]*(?:token|secret|passw|credential|signature|authz)[\w.-]*=)[^&\s'\",\])]+",
    re.IGNORECASE,
)


def secrets_in(variables: Mapping[str, str]) -> tuple[str, ...]:
    """Return what must not be seen of variables of the environment, the longest first."""
    found = set()
    for name, value in variables.items():
        if NAME.search(name) and not PLACE.search(name):
            found.add(value)
        found |= passwords_in(value)
    return tuple(sorted((each for each in found if len(each) >= LEAST), key=len, reverse=True))


def passwords_in(text: str) -> set[str]:
    """Return the passwords of URLs, as they stand there and as servers get them."""
    there = {match[2] for match in PASSWORD.finditer(text)}
    return {form for each in there for form in (each, unquote(each))}


def hidden(text: str, secrets: Iterable[str] = ()) -> str:
    """Return text without these secrets, those of the environment, and those of its URLs."""
    for secret in (*secrets, *secrets_in(os.environ)):
        text = text.replace(secret, HIDDEN)
    text = PASSWORD.sub(rf"\1:{HIDDEN}@", text)
    text = USER.sub(f"{HIDDEN}@", text)
    return QUERY.sub(rf"\1{HIDDEN}", text)
