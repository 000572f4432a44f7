"""What runs log, on its way to the server: at once, or from disk once it answers again.

Delivering an entry twice is as delivering it once: a delivery that was cut off is repeated.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.image
from mlflow.entities import Dataset, DatasetInput, Metric, Param, RunTag
from mlflow.tracking import MlflowClient

from rootflow.errors import InputError
from rootflow.tracking.connection import connect, server_must_answer

ENTRIES = "entries.jsonl"


def sync(spool: Path) -> int:
    """Log every entry kept in `spool` or in folders of it, and return how many there were.

    Raises
    ------
    InputError
        There are none.
    """
    spools = [path.parent for path in (*spool.glob(ENTRIES), *sorted(spool.glob(f"*/{ENTRIES}")))]
    if not spools:
        raise InputError(f"{spool}: nothing is kept there for the tracking server")
    client = connect()
    with server_must_answer():
        return sum(deliver_spool(client, each) for each in spools)


def deliver_spool(client: MlflowClient, spool: Path) -> int:
    """Log every entry kept in `spool`, remove it, and return how many there were."""
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
            metrics = [
                Metric(name, float(value), content["timestamp"], content["step"])
                for name, value in content["values"].items()
            ]
            log_all(client, run_id, metrics=metrics)
        case "params":
            log_all(client, run_id, params=[Param(name, str(v)) for name, v in content.items()])
        case "tags":
            log_all(client, run_id, tags=[RunTag(name, str(v)) for name, v in content.items()])
        case "artifact":
            client.log_artifact(run_id, content["path"], content["folder"])
        case "image":
            image = matplotlib.image.imread(content["path"])
            client.log_image(run_id, image, key=content["key"], step=0)
        case "dataset":
            dataset = Dataset(
                name=content["name"],
                digest=content["digest"],
                source_type="local",
                source=json.dumps({"uri": content["source"]}),
                profile=json.dumps(content["profile"]),
            )
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
