"""Everything that talks to MLflow."""

from rootflow.tracking.artifacts import LoggedRun, artifact_of, artifacts_in, run_of_step
from rootflow.tracking.connection import connect, redacted, tracking_uri
from rootflow.tracking.outbox import sync
from rootflow.tracking.registry import RegisteredModel, fetch_onnx_model, log_onnx_model
from rootflow.tracking.run import Run, start_run, start_run_among

__all__ = [
    "LoggedRun",
    "RegisteredModel",
    "Run",
    "artifact_of",
    "artifacts_in",
    "connect",
    "fetch_onnx_model",
    "log_onnx_model",
    "redacted",
    "run_of_step",
    "start_run",
    "start_run_among",
    "sync",
    "tracking_uri",
]
