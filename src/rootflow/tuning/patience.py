"""Waiting for a pool or a server that is away for a while."""

import time
from types import TracebackType
from typing import Self

import click

from rootflow.errors import InputError, RootflowError, UsageError

SECONDS_TO_WAIT = 1800.0


class Patience:
    """Lets a block fail for some time: `with patience:` is to be tried again and again.

    A first failure is said; one that lasts ends the study. What the user has done wrong is
    raised at once.
    """

    def __init__(self, seconds: float = SECONDS_TO_WAIT) -> None:
        self._seconds = seconds
        self._since: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if error is None:
            self._since = None
            return False
        if not isinstance(error, RootflowError) or isinstance(error, InputError | UsageError):
            return False
        if self._since is None:
            self._since = time.monotonic()
            click.echo(f"rootflow: {error}; trying again", err=True)
        return time.monotonic() - self._since < self._seconds
