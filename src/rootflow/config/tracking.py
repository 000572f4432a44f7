"""Settings of the tracking."""

from rootflow.config.block import Block


class TrackingConfig(Block):
    """Where runs are kept. MLFLOW_TRACKING_URI, where set, says the server."""

    experiment: str = "ttbar"
