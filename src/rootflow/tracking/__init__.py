"""Everything that talks to MLflow.

Where the tracking server does not answer, what asks it raises an AwayError; where it refuses, a
RootflowError.
"""

from rootflow.tracking.artifacts import (
    LoggedRun,
    artifact_of,
    artifacts_in,
    last_run,
    logged_run,
    run_of_step,
)
from rootflow.tracking.connection import connect, redacted, sync, tracking_uri
from rootflow.tracking.registry import (
    Version,
    champions_of,
    contract_of,
    describe,
    fetch_onnx_model,
    log_onnx_model,
    log_trained_model,
    remember_champions,
    remove_tags,
    version_of,
    version_with,
    versions,
)
from rootflow.tracking.run import Run, start_run, start_run_among

__all__ = [
    "LoggedRun",
    "Run",
    "Version",
    "artifact_of",
    "artifacts_in",
    "champions_of",
    "connect",
    "contract_of",
    "describe",
    "fetch_onnx_model",
    "last_run",
    "log_onnx_model",
    "log_trained_model",
    "logged_run",
    "redacted",
    "remember_champions",
    "remove_tags",
    "run_of_step",
    "start_run",
    "start_run_among",
    "sync",
    "tracking_uri",
    "version_of",
    "version_with",
    "versions",
]
