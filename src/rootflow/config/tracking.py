"""Settings of the tracking."""

from pydantic import Field

from rootflow.config.block import Block


class TrackingConfig(Block):
    """Where runs are kept. MLFLOW_TRACKING_URI, where set, says the server."""

    experiment: str | None = Field(None, description="none: the name of the analysis")
