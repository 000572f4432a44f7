"""A study's database: its URL, and waiting for it where it is away for a while."""

import os
import re
import time
from typing import Any

import click
import sqlalchemy
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from rootflow.errors import AwayError, UsageError
from rootflow.secrets import hidden

SECONDS_FOR_A_LOCK = 60
SECONDS_BETWEEN_TRIES = 2.0
SECONDS_TO_WAIT = 1800.0
VARIABLE = re.compile(r"\$(\w+)")
# What becomes of a study's database that is asked for something.
DATABASE_FAILURES = (SQLAlchemyError, StorageInternalError)


def open_database(text: str) -> RDBStorage:
    """Return Optuna's storage in the database of a URL, whose $NAMEs the environment says.

    Where the database goes away later it is waited for, for half an hour.
    """
    url = _completed(text)
    if url.startswith("sqlite:"):
        arguments = {"timeout": SECONDS_FOR_A_LOCK}
        return RDBStorage(url, engine_kwargs={"connect_args": arguments, "poolclass": NullPool})
    storage = RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
    sqlalchemy.event.listen(storage.engine, "do_connect", _patiently)
    return storage


def away(failure: Exception) -> AwayError:
    """Return what to tell the user of a database that does not do what it is asked for."""
    cause = failure.__cause__ or failure
    reason = str(getattr(cause, "orig", None) or cause).strip().splitlines()[0]
    return AwayError(
        f"tune.storage: the study's database is away or out of order: {hidden(reason)}; the same "
        "command goes on with the study"
    )


def _completed(text: str) -> str:
    def said(variable: re.Match[str]) -> str:
        if variable[1] not in os.environ:
            raise UsageError(f"tune.storage: {hidden(text)}: ${variable[1]} is not set")
        return os.environ[variable[1]]

    return VARIABLE.sub(said, text)


def _patiently(dialect: Any, _: Any, arguments: Any, words: Any) -> Any:
    """Connect, and where that fails again and again for a while."""
    until, is_said = time.monotonic() + SECONDS_TO_WAIT, False
    while True:
        try:
            return dialect.connect(*arguments, **words)
        except dialect.loaded_dbapi.OperationalError as error:
            if time.monotonic() > until:
                raise
            if not is_said:
                reason = hidden(str(error).strip().splitlines()[0])
                click.echo(f"rootflow: the study's database is away: {reason}", err=True)
                is_said = True
        time.sleep(SECONDS_BETWEEN_TRIES)
