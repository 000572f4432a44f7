"""Settings of the ntuples, the selection and the dataset."""

from typing import Literal

from pydantic import Field, PositiveInt, model_validator

from rootflow.config.block import Block


class FoldsConfig(Block):
    """How events are divided into folds, and which fold the model does not see."""

    count: int = Field(5, ge=2)
    held_out: int = Field(0, ge=0, description="the fold that the model is evaluated on")
    scheme: Literal["hash", "parity"] = Field(
        "hash", description="hash of the event number; parity: fold 0 is even, fold 1 is odd"
    )

    @model_validator(mode="after")
    def _held_out_exists(self) -> "FoldsConfig":
        if self.held_out >= self.count:
            raise ValueError(
                f"held_out is {self.held_out}, but the {self.count} folds are 0 to {self.count - 1}"
            )
        if self.scheme == "parity" and self.count != 2:
            raise ValueError(f"the parity scheme has two folds, count says {self.count}")
        return self


class WeightsConfig(Block):
    """How event weights are made, and what happens to negative ones."""

    negative: Literal["keep", "absolute", "drop"]


class DataConfig(Block):
    """The ntuples, what is read from them, and which events are kept."""

    files: list[str] = Field(
        default_factory=list, description="paths or globs; none: what simulate makes"
    )
    branch_map: str = Field("topcptoolkit", description="name of a shipped map, or a YAML file")
    max_jets: PositiveInt = 8
    folds: FoldsConfig = FoldsConfig()
    weights: WeightsConfig
