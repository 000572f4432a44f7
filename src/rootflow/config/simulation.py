"""Settings of the simulation."""

from typing import Literal

from pydantic import Field, PositiveInt

from rootflow.config.block import Block


class SimulationConfig(Block):
    """What to generate, and the detector that sees it."""

    process: Literal["ttbar"] = "ttbar"
    events: PositiveInt = Field(20_000, description="selected events to write")
    workers: PositiveInt = Field(2, description="processes; the sample does not depend on it")
