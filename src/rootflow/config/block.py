"""What every block of the configuration has in common."""

from pydantic import BaseModel, ConfigDict


class Block(BaseModel):
    """A frozen block of settings that knows its keys: an unknown one is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
