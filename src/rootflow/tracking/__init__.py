"""Everything that talks to MLflow."""

from rootflow.tracking.connection import connect, redacted, tracking_uri
from rootflow.tracking.outbox import sync
from rootflow.tracking.registry import log_onnx_model
from rootflow.tracking.run import Run, start_run
from rootflow.tracking.study import StudyRun, join_run, start_study

__all__ = [
    "Run",
    "StudyRun",
    "connect",
    "join_run",
    "log_onnx_model",
    "redacted",
    "start_run",
    "start_study",
    "sync",
    "tracking_uri",
]
