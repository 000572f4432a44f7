"""Tracking databases: what is wrong with one, and making it fit before MLflow opens it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import click
import mlflow
import sqlalchemy
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from mlflow.db import upgrade
from mlflow.tracking import MlflowClient
from sqlalchemy.engine import URL, make_url

from rootflow.errors import AwayError, RootflowError, UsageError
from rootflow.files import alone_in

DIALECTS = ("sqlite", "mysql", "mssql", "postgresql")
# What pip calls the drivers whose module has another name.
PACKAGES = {"psycopg": "psycopg[binary]", "psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient"}
TIMEOUT = {"mysql": "connect_timeout", "postgresql": "connect_timeout", "mssql": "timeout"}
SECONDS = 20
ARTIFACTS = "mlruns"
# Where a database keeps absolute paths of artifacts.
PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def is_database(uri: str) -> bool:
    """Return whether a tracking URI names a database, rather than a server or a folder."""
    return uri.partition(":")[0].partition("+")[0] in DIALECTS


def make_ready(uri: str) -> None:
    """Make a tracking database ready to be opened by MLflow.

    One that is missing or empty gets its tables. One of an older MLflow is migrated, and a copy
    is kept. One that was moved or copied with `mlruns` keeps its artifacts where they now are.
    One that is damaged, of something else, or of another MLflow and not a file is refused.
    """
    url = _parsed(uri)
    path = _file_of(url)
    if _is_ready(url):
        return
    if path is None:
        _make_tables(url)
        return
    with alone_in(path.parent, f"{path.name}.lock"):  # MLflow's own first use is not safe
        if not _is_ready(url):
            _make_tables(url)
            _follow(path)


def shown(uri: str) -> str:
    """Return a database's URI without user, password and options."""
    try:
        return _shown(make_url(uri))
    except (sqlalchemy.exc.ArgumentError, ValueError):
        return uri.partition("://")[0]


def reason_in(error: sqlalchemy.exc.SQLAlchemyError) -> str:
    """Return the first line of what a database says, without SQL and parameters."""
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0]


def _parsed(uri: str) -> URL:
    try:
        url = make_url(uri)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise UsageError(
            "MLFLOW_TRACKING_URI is not DIALECT://USER:PASSWORD@HOST:PORT/DATABASE"
        ) from None
    if not url.database or url.database == ":memory:":
        raise UsageError(f"MLFLOW_TRACKING_URI: {_shown(url)} names no database")
    return url


def _shown(url: URL) -> str:
    return URL.create(
        url.drivername, host=url.host, port=url.port, database=url.database
    ).render_as_string()


def _file_of(url: URL) -> Path | None:
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def _is_ready(url: URL) -> bool:
    """Return whether the tables are those of this MLflow, and the artifacts beside them."""
    path = _file_of(url)
    is_of_this_mlflow = _revision(url) == newest_revision()
    return is_of_this_mlflow and (path is None or _moved_from(path) is None)


def _revision(url: URL) -> str | None:
    """Return which tables a database has, as MLflow counts them; None where it has none."""
    path = _file_of(url)
    if path is not None and not path.exists():
        return None
    with _opened(url) as connection:
        if path is not None:
            _refuse_truncated(path, connection)
        tables = set(sqlalchemy.inspect(connection).get_table_names())
        if not tables:
            return None
        if not {"experiments", "alembic_version"} <= tables:
            raise RootflowError(f"{_shown(url)} is a database of something else than MLflow")
        found = connection.execute(sqlalchemy.text("SELECT version_num FROM alembic_version"))
        return str(found.scalar_one())


def _refuse_truncated(path: Path, connection: sqlalchemy.Connection) -> None:
    """Refuse a file that ends too early, which SQLite may notice late or never."""
    pages, size, journal = (
        connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
        for name in ("page_count", "page_size", "journal_mode")
    )
    if journal != "wal" and path.stat().st_size < pages * size:
        raise RootflowError(
            f"{path} is cut off: it has {path.stat().st_size} of {pages * size} bytes; "
            "put a copy in its place"
        )


@contextmanager
def _opened(url: URL) -> Iterator[sqlalchemy.Connection]:
    dialect = url.get_backend_name()
    timeout = {TIMEOUT[dialect]: SECONDS} if dialect in TIMEOUT else {}
    try:
        engine = sqlalchemy.create_engine(url, connect_args=timeout)
    except ModuleNotFoundError as error:
        package = PACKAGES.get(str(error.name), error.name)
        raise UsageError(
            f"{_shown(url)} needs the driver {error.name}: install it (pip install {package}), "
            "or name one that you have, as in mysql+pymysql://"
        ) from None
    except sqlalchemy.exc.NoSuchModuleError:
        raise UsageError(f"there is no driver {url.drivername}") from None
    try:
        with engine.connect() as connection:
            yield connection
    except sqlalchemy.exc.OperationalError as error:
        raise AwayError(f"{_shown(url)} cannot be opened: {reason_in(error)}") from None
    except sqlalchemy.exc.DatabaseError as error:
        raise RootflowError(
            f"{_shown(url)} is no tracking database, or a damaged one: {reason_in(error)}"
        ) from None
    finally:
        engine.dispose()


def _make_tables(url: URL) -> None:
    """Make the tables, or have those of an older MLflow migrated."""
    revision = _revision(url)
    if revision not in (None, newest_revision()):
        _migrate(url, str(revision))
    MlflowClient(url.render_as_string(hide_password=False)).search_experiments(max_results=1)


def _migrate(url: URL, revision: str) -> None:
    if revision not in {script.revision for script in _scripts().walk_revisions()}:
        raise RootflowError(
            f"{_shown(url)} was made by a newer MLflow than {mlflow.__version__}, which is "
            "installed here: use that one, or track elsewhere"
        )
    path = _file_of(url)
    if path is None:
        raise RootflowError(
            f"{_shown(url)} was made by an older MLflow: make a copy of it, then migrate it "
            "with 'mlflow db upgrade URI'"
        )
    copy = path.with_name(f"{path.name}.{revision}")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    click.echo(
        f"rootflow: {path} was made by an older MLflow: migrating it for MLflow "
        f"{mlflow.__version__}; a copy as it was is kept as {copy}",
        err=True,
    )
    command: Any = upgrade  # of click, which says nothing of types
    command.callback(url.render_as_string(hide_password=False))


@cache  # it reads all that was ever migrated
def newest_revision() -> str | None:
    """Return which tables this MLflow has, as it counts them."""
    head: str | None = _scripts().get_current_head()
    return head


@cache
def _scripts() -> ScriptDirectory:
    """Return MLflow's own list of what a migration changes."""
    config = AlembicConfig()
    folder = Path(mlflow.__file__).parent / "store" / "db_migrations"
    config.set_main_option("script_location", str(folder))
    return ScriptDirectory.from_config(config)


def _moved_from(path: Path) -> str | None:
    """Return the folder that a file was made in, where neither it nor its artifacts are there."""
    home = path.resolve().parent
    with closing(sqlite3.connect(path)) as store:
        first = "SELECT artifact_location FROM experiments WHERE experiment_id = 0"
        [location] = store.execute(first).fetchone() or [""]
        old = str(location).removeprefix("file://").removesuffix(f"/{ARTIFACTS}/0")
        if old == location or not old.startswith("/") or Path(old).resolve() == home:
            return None
        newest = "SELECT artifact_uri FROM runs ORDER BY start_time DESC LIMIT 100"
        artifacts = [str(uri).removeprefix("file://") for (uri,) in store.execute(newest)]
    folders = [uri.removeprefix(old) for uri in artifacts if uri.startswith(f"{old}/")]
    here = any(Path(f"{home}{folder}").is_dir() for folder in folders)
    there = any(Path(f"{old}{folder}").is_dir() for folder in folders)
    return old if here or not there else None


def _follow(path: Path) -> None:
    """Have a file that was moved or copied with its artifacts name them where they are."""
    old = _moved_from(path)
    if old is None:
        return
    home = str(path.resolve().parent)
    with closing(sqlite3.connect(path)) as store, store:
        [runs] = store.execute("SELECT count(*) FROM runs").fetchone()
        for table, column in PLACES:
            for scheme in ("", "file://"):
                before, after = f"{scheme}{old}/", f"{scheme}{home}/"
                store.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608
                    f"WHERE substr({column}, 1, ?) = ?",
                    (after, len(before) + 1, len(before), before),
                )
    if runs:
        click.echo(
            f"rootflow: {path} was in {old}: its artifacts are now those in {home}/{ARTIFACTS}",
            err=True,
        )
