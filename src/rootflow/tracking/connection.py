"""Reaching the tracking server, and delivering what runs log: at once, or from disk later."""

import json
import logging
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import mlflow
from mlflow.entities import Dataset, DatasetInput, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException, RestException
from mlflow.tracking import MlflowClient
from mlflow.utils.credentials import read_mlflow_creds
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from rootflow.config.batch import ProfileConfig
from rootflow.errors import AwayError, InputError, RootflowError, UsageError
from rootflow.secrets import hidden
from rootflow.tracking import database

STORE = "mlflow.db"


# What MLflow makes of a server that cannot be reached, and of a database that is locked.
AWAY = ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE")
THERE_ALREADY = "RESOURCE_ALREADY_EXISTS"
# The latter of an id that could be none, and of an alias that is not set.
MISSING = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")

MLFLOW_SETTINGS = {
    # MLflow's own defaults retry for minutes; a user at the prompt wants to be told at once.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    # Its links to runs have the password of the server in them.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
TRACKING_URI = "MLFLOW_TRACKING_URI"
USERNAME, PASSWORD = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
LOGIN = (
    USERNAME,
    PASSWORD,
    "MLFLOW_TRACKING_TOKEN",
    "MLFLOW_TRACKING_AUTH",
    "MLFLOW_TRACKING_AWS_SIGV4",
    "MLFLOW_TRACKING_INSECURE_TLS",
)
# What can go wrong as MLflow is asked for something.
Refused = MlflowException | SQLAlchemyError | OSError


def tracking_uri() -> str:
    """Return MLFLOW_TRACKING_URI, or the SQLite store of the working directory."""
    return os.environ.get(TRACKING_URI) or f"sqlite:///{Path.cwd() / STORE}"


def login() -> dict[str, str]:
    """Return the variables by which this session may use the tracking server."""
    kept: Any = read_mlflow_creds()  # those of ~/.mlflow/credentials, too
    of_user = {USERNAME: kept.username, PASSWORD: kept.password}
    given = {name: os.environ[name] for name in LOGIN if os.environ.get(name)}
    return {name: value for name, value in {**of_user, **given}.items() if value}


def login_of_jobs(profile: ProfileConfig, uri: str) -> dict[str, str]:
    """Return the variables by which jobs of a profile reach the tracking server, if they do."""
    if profile.tracking == "spool":
        return {}
    return {TRACKING_URI: uri, **(login() if "mlflow" in profile.credentials else {})}


def connect() -> MlflowClient:
    """Return a client of a tracking server that answers."""
    set_up()
    uri = tracking_uri()
    mlflow.set_tracking_uri(uri)
    with server_must_answer():
        if database.is_database(uri):
            database.make_ready(uri)
        client = MlflowClient()
        client.search_experiments(max_results=1)
    return client


def set_up() -> None:
    """Have MLflow neither wait for minutes nor print what nobody asked for."""
    for name, value in MLFLOW_SETTINGS.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("mlflow.store").setLevel(logging.WARNING)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # it writes tracebacks
    logging.getLogger("mlflow.utils.environment").setLevel(logging.ERROR)


@contextmanager
def server_must_answer(missing: str | None = None) -> Iterator[None]:
    """Say in one line what the server does not do; `missing` where it has no such thing."""
    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        if missing and isinstance(error, MlflowException) and error.error_code in MISSING:
            raise UsageError(f"{missing} on {redacted(tracking_uri())}") from None
        raise refusal(error) from None


def finished_run(
    client: MlflowClient, experiment: str, tags: Mapping[str, str], order: str
) -> Run | None:
    """Return the first or last finished run that has all these tags; `order` is ASC or DESC."""
    of_tags = [f"tags.`{name}` = '{value}'" for name, value in tags.items()]
    wanted = " and ".join(["status = 'FINISHED'", *of_tags])
    by = [f"attributes.start_time {order}"]
    with server_must_answer():
        runs = client.search_runs([experiment], wanted, max_results=1, order_by=by)
    return runs[0] if runs else None


def is_away(error: Refused) -> bool:
    """Return whether the server is away or out of order, rather than the request wrong."""
    if isinstance(error, RestException):
        status: int = error.get_http_status_code()  # type: ignore[no-untyped-call]
        return status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if isinstance(error, MlflowException):
        return error.error_code in AWAY
    return isinstance(error, ConnectionError | TimeoutError | OperationalError)


def refusal(error: Refused) -> RootflowError:
    """Return what to tell the user of an error of the tracking server, without secrets."""
    reason = reason_of(error)[:200]
    kind = "database" if database.is_database(tracking_uri()) else "server"
    server = f"tracking {kind} {redacted(tracking_uri())}"
    if not is_away(error):
        return RootflowError(f"{server} refuses: {reason}")
    if kind == "database":
        return AwayError(f"{server} cannot be used: {reason}")
    return AwayError(
        f"{server} does not answer: start it, correct MLFLOW_TRACKING_URI, or unset it to track "
        f"in ./{STORE} ({reason})"
    )


def reason_of(error: Refused) -> str:
    """Return the first line of what an error of the tracking server says, without secrets."""
    text = database.reason_in(error) if isinstance(error, SQLAlchemyError) else str(error)
    return hidden(text.replace(tracking_uri(), redacted(tracking_uri()))).splitlines()[0]


def experiment_id(client: MlflowClient, name: str) -> str:
    """Return the id of the experiment, which is made when it is not there."""
    experiment = client.get_experiment_by_name(name)
    if experiment is not None and experiment.lifecycle_stage != "active":
        raise UsageError(
            f"tracking.experiment: '{name}' was deleted: restore it "
            f"(mlflow experiments restore -x {experiment.experiment_id}) or name another"
        )
    if experiment is not None:
        return str(experiment.experiment_id)
    try:
        return str(client.create_experiment(name))
    except MlflowException as error:
        if error.error_code != THERE_ALREADY:
            raise
        return experiment_id(client, name)  # another process made it meanwhile


def redacted(uri: str) -> str:
    """Return `uri` without user, password and query."""
    if database.is_database(uri):
        return database.shown(uri)
    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    # urlunsplit drops the empty authority of sqlite:///path
    return urlunsplit((parts.scheme, host, parts.path, "", "")) if host else uri


ENTRIES = "entries.jsonl"


def sync(spool: Path) -> int:
    """Log every entry kept in `spool` or a folder of it, and return how many; none is an error."""
    spools = [path.parent for path in (*spool.glob(ENTRIES), *sorted(spool.glob(f"*/{ENTRIES}")))]
    if not spools:
        raise InputError(f"{spool}: nothing is kept there for the tracking server")
    client = connect()
    with server_must_answer():
        return sum(deliver_spool(client, each) for each in spools)


def deliver_spool(client: MlflowClient, spool: Path) -> int:
    """Log every entry kept in `spool`, remove it, and return how many; twice is as once."""
    lines = (spool / ENTRIES).read_text().splitlines()
    for line in map(json.loads, lines):
        content = line["content"]
        if "path" in content:
            content["path"] = str(spool / content["path"])
        log_entry(client, line["run_id"], line["kind"], content)
    shutil.rmtree(spool)
    return len(lines)


def log_entry(client: MlflowClient, run_id: str, kind: str, content: dict[str, Any]) -> None:
    """Log metrics, params, tags, an artifact, an image, a dataset or the status of a run."""
    match kind:
        case "metrics":
            at, values = (content["timestamp"], content["step"]), content["values"]
            metrics = [Metric(name, float(value), *at) for name, value in values.items()]
            log_all(client, run_id, metrics=metrics)
        case "params":
            log_all(client, run_id, params=[Param(name, str(v)) for name, v in content.items()])
        case "tags":
            log_all(client, run_id, tags=[RunTag(name, str(v)) for name, v in content.items()])
        case "artifact":
            client.log_artifact(run_id, content["path"], content["folder"])
        case "image":
            import matplotlib.image  # by few, and not by who submits

            image = matplotlib.image.imread(content["path"])
            client.log_image(run_id, image, key=content["key"], step=0)
        case "dataset":
            source, profile = {"uri": content["source"]}, content["profile"]
            said = content["name"], content["digest"], "local", json.dumps(source)
            dataset = Dataset(*said, profile=json.dumps(profile))
            client.log_inputs(run_id, [DatasetInput(dataset)])
        case "status":
            client.set_terminated(run_id, content["status"], content["end_time"])


def log_all(
    client: MlflowClient,
    run_id: str,
    metrics: Sequence[Metric] = (),
    params: Sequence[Param] = (),
    tags: Sequence[RunTag] = (),
) -> None:
    """Log in as many calls as MLflow wants: it takes 1,000 metrics, 100 of the others in one."""
    for first in range(0, len(metrics), 900):
        client.log_batch(run_id, metrics=metrics[first : first + 900])
    for first in range(0, max(len(params), len(tags)), 100):
        some = slice(first, first + 100)
        client.log_batch(run_id, params=params[some], tags=tags[some])
