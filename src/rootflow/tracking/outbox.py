"""What a run logs, delivered in order: at once, or from disk once the server answers again."""

import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.image
from mlflow.entities import Dataset, DatasetInput, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from rootflow.errors import InputError
from rootflow.tracking.connection import connect, is_away, refusal, server_must_answer

SECONDS_BETWEEN_TRIES = 15.0
LARGEST_BATCH = {"metrics": 900, "params": 100}  # MLflow takes 1,000 and 100 in a call
ENTRIES = "entries.jsonl"


class Entry(NamedTuple):
    """One thing to log: `kind` is metrics, params, tags, artifact, image, dataset or status."""

    kind: str
    content: dict[str, Any]


class Outbox:
    """Entries of one run on their way to the server.

    What cannot be delivered is kept in `spool`, files included, until it can be.
    Delivering an entry twice leaves the run as delivering it once, so a delivery that was
    cut off is repeated.
    """

    def __init__(self, client: MlflowClient, run_id: str, spool: Path) -> None:
        self._client = client
        self._run_id = run_id
        self._spool = spool
        self._next_try = 0.0

    def put(self, kind: str, content: dict[str, Any]) -> None:
        """Log an entry now, or as soon as the server answers again."""
        entry = Entry(kind, content)
        if self._spool.exists() or not self._delivered(entry):
            self._keep(entry)
            if time.monotonic() >= self._next_try:
                self.deliver()

    def deliver(self) -> bool:
        """Log what was kept; return whether nothing is left of it."""
        if self._spool.exists():
            try:
                _deliver_spool(self._client, self._spool)
            except (MlflowException, OSError) as error:
                self._wait(error)
                return False
        return True

    def _delivered(self, entry: Entry) -> bool:
        try:
            _log(self._client, self._run_id, entry)
        except (MlflowException, OSError) as error:
            self._wait(error)
            return False
        return True

    def _wait(self, error: MlflowException | OSError) -> None:
        if not is_away(error):
            raise refusal(error) from None
        self._next_try = time.monotonic() + SECONDS_BETWEEN_TRIES

    def _keep(self, entry: Entry) -> None:
        self._spool.mkdir(parents=True, exist_ok=True)
        content = entry.content
        if "path" in content:
            source = Path(content["path"])
            number = len(list(self._spool.iterdir()))
            kept = self._spool / str(number) / source.name
            kept.parent.mkdir()
            shutil.copy2(source, kept)
            content = {**content, "path": str(kept.relative_to(self._spool))}
        line = {"run_id": self._run_id, "kind": entry.kind, "content": content}
        with (self._spool / ENTRIES).open("a") as entries:
            entries.write(json.dumps(line) + "\n")


def sync(spool: Path) -> int:
    """Log every entry kept in `spool` or in folders of it, and return how many there were.

    Raises
    ------
    InputError
        There are none.
    RootflowError
        The server does not answer, or refuses an entry.
    """
    spools = [path.parent for path in (*spool.glob(ENTRIES), *sorted(spool.glob(f"*/{ENTRIES}")))]
    if not spools:
        raise InputError(f"{spool}: nothing is kept there for the tracking server")
    client = connect()
    with server_must_answer():
        return sum(_deliver_spool(client, each) for each in spools)


def _deliver_spool(client: MlflowClient, spool: Path) -> int:
    """Log every entry kept in `spool`, remove it, and return how many there were."""
    lines = (spool / ENTRIES).read_text().splitlines()
    for line in map(json.loads, lines):
        content = line["content"]
        if "path" in content:
            content["path"] = str(spool / content["path"])
        _log(client, line["run_id"], Entry(line["kind"], content))
    shutil.rmtree(spool)
    return len(lines)


def _log(client: MlflowClient, run_id: str, entry: Entry) -> None:
    content = entry.content
    match entry.kind:
        case "metrics":
            metrics = [
                Metric(name, float(value), content["timestamp"], content["step"])
                for name, value in content["values"].items()
            ]
            for first in range(0, len(metrics), LARGEST_BATCH["metrics"]):
                batch = metrics[first : first + LARGEST_BATCH["metrics"]]
                client.log_batch(run_id, metrics=batch)
        case "params":
            params = [Param(name, str(value)) for name, value in content.items()]
            for first in range(0, len(params), LARGEST_BATCH["params"]):
                client.log_batch(run_id, params=params[first : first + LARGEST_BATCH["params"]])
        case "tags":
            client.log_batch(run_id, tags=[RunTag(name, str(v)) for name, v in content.items()])
        case "artifact":
            client.log_artifact(run_id, content["path"], content["folder"])
        case "image":
            image = matplotlib.image.imread(content["path"])
            client.log_image(run_id, image, key=content["key"], step=0)
        case "dataset":
            client.log_inputs(run_id, [DatasetInput(_dataset(content))])
        case "status":
            client.set_terminated(run_id, content["status"], content["end_time"])


def _dataset(content: Mapping[str, Any]) -> Dataset:
    return Dataset(
        name=content["name"],
        digest=content["digest"],
        source_type="local",
        source=json.dumps({"uri": content["source"]}),
        profile=json.dumps(content["profile"]),
    )
