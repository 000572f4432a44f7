"""A job as text, to be kept in a file."""

import json
from pathlib import Path

from rootflow.batch.contract import Job
from rootflow.config.batch import JobConfig


def as_text(job: Job) -> str:
    """Return the job as one line of JSON, its paths absolute."""
    resources = None if job.resources is None else job.resources.model_dump(mode="json")
    plain = job._replace(
        directory=str(job.directory.absolute()),  # type: ignore[arg-type]
        inputs=[str(path.absolute()) for path in job.inputs],  # type: ignore[arg-type]
        resources=resources,  # type: ignore[arg-type]
    )
    return json.dumps(plain._asdict())


def from_text(text: str) -> Job:
    """Return the job that `as_text` wrote."""
    plain = json.loads(text)
    resources = plain["resources"]
    return Job(
        plain["name"],
        tuple(plain["command"]),
        Path(plain["directory"]),
        tuple(map(Path, plain["inputs"])),
        tuple(plain["outputs"]),
        None if resources is None else JobConfig.model_validate(resources),
    )
