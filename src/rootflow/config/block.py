"""What every block of the configuration has in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

# What may stand in the name of a file, of a metric and of a registered model.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$")]


class Block(BaseModel):
    """A frozen block of settings that knows its keys: an unknown one is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
