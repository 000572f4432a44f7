"""Everything that talks to MLflow."""

from rootflow.tracking.connection import connect, redacted, tracking_uri
from rootflow.tracking.outbox import deliver_spool
from rootflow.tracking.provenance import git_tags
from rootflow.tracking.registry import log_onnx_model
from rootflow.tracking.run import Run, find_run, start_run

__all__ = [
    "Run",
    "connect",
    "deliver_spool",
    "find_run",
    "git_tags",
    "log_onnx_model",
    "redacted",
    "start_run",
    "tracking_uri",
]
