"""Everything that talks to MLflow."""

from rootflow.tracking.connection import connect, redacted, tracking_uri
from rootflow.tracking.outbox import sync
from rootflow.tracking.registry import log_onnx_model
from rootflow.tracking.run import Run, start_run

__all__ = [
    "Run",
    "connect",
    "log_onnx_model",
    "redacted",
    "start_run",
    "sync",
    "tracking_uri",
]
