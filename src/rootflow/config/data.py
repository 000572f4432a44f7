"""Settings of the ntuples, the selection and the dataset."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    model_validator,
)

from rootflow.config.block import Block

ALL: Final = "all"

RepeatedEvents = Literal["refuse", "drop", "keep"]


class SelectionConfig(Block):
    """Which leptons and jets count, and which events are kept."""

    lepton_pt_min_gev: NonNegativeFloat = 25.0
    lepton_abs_eta_max: PositiveFloat = 2.5
    exactly_two_leptons: bool = Field(
        True, description="false: two or more, and the two leading in pT are used"
    )
    opposite_sign: bool = True
    jet_pt_min_gev: NonNegativeFloat = 25.0
    jet_abs_eta_max: PositiveFloat = 2.5
    jets_min: NonNegativeInt = 2
    btagged_jets_min: NonNegativeInt = 0
    btag_min: float = Field(4.0, description="smallest btag of a b-tagged jet")


class FoldingConfig(Block):
    """How events are divided into folds."""

    count: int = Field(5, ge=2, le=255)
    scheme: Literal["hash", "modulo", "parity"] = Field(
        "hash",
        description="hash of the event number; modulo: its rest on division by count; "
        "parity: fold 0 is even, fold 1 is odd",
    )

    @model_validator(mode="after")
    def _parity_has_two(self) -> Self:
        if self.scheme == "parity" and self.count != 2:
            raise ValueError(f"the parity scheme has two folds, count says {self.count}")
        return self

    def in_turn(self) -> list["FoldsConfig"]:
        """Return the folds with each that is held out in its turn: every one."""
        return [
            FoldsConfig(count=self.count, scheme=self.scheme, held_out=fold)
            for fold in range(self.count)
        ]


def _fold_or_all(value: Any) -> Any:
    if value != ALL and not (isinstance(value, int) and value >= 0):
        raise ValueError(f"{value!r} is neither the number of a fold nor {ALL}")
    return value


class HeldOutConfig(FoldingConfig):
    """How events are divided into folds, and which of them models do not see."""

    held_out: Annotated[int | Literal["all"], BeforeValidator(_fold_or_all)] = Field(
        0, description="the fold that the model is evaluated on; all: a model for each fold"
    )

    @model_validator(mode="after")
    def _held_out_exists(self) -> Self:
        if self.held_out != ALL and self.held_out >= self.count:
            raise ValueError(
                f"held_out is {self.held_out}, but the {self.count} folds are 0 to {self.count - 1}"
            )
        return self

    def in_turn(self) -> list["FoldsConfig"]:
        """Return the folds with each that is held out in its turn: the one, or every one."""
        every = super().in_turn()
        return every if self.held_out == ALL else [every[self.held_out]]


class FoldsConfig(HeldOutConfig):
    """How events are divided into folds, and which fold a model has not seen."""

    held_out: int = Field(0, ge=0)


class NegativeWeightsConfig(Block):
    """What happens to negative weights."""

    negative: Literal["keep", "absolute", "drop"] = Field(
        description="what training does with negative weights; the dataset keeps them"
    )


class WeightsConfig(NegativeWeightsConfig):
    """How event weights are made, and what happens to negative ones."""

    cross_section_pb: PositiveFloat | None = Field(
        None, description="with the luminosity: weights are scaled to the expected events"
    )
    luminosity_fb_inverse: PositiveFloat | None = None
    sum_of_weights: PositiveFloat | None = Field(
        None, description="before any cut that made the ntuple; none: what is read"
    )

    @model_validator(mode="after")
    def _both_or_neither(self) -> "WeightsConfig":
        if (self.cross_section_pb is None) != (self.luminosity_fb_inverse is None):
            raise ValueError("give both cross_section_pb and luminosity_fb_inverse, or neither")
        if self.sum_of_weights is not None and self.cross_section_pb is None:
            raise ValueError("sum_of_weights is used only with cross_section_pb")
        return self


class DataConfig(Block):
    """The ntuples, what is read from them, and which events are kept."""

    files: list[str] = Field(
        default_factory=list, description="paths or globs; none: what simulate makes"
    )
    branch_map: str = Field("topcptoolkit", description="name of a shipped map, or a YAML file")
    max_jets: int = Field(8, ge=2, le=100, description="jets kept of each event, the leading in pT")
    selection: SelectionConfig = SelectionConfig()
    folds: HeldOutConfig = HeldOutConfig()
    repeated_events: RepeatedEvents | None = Field(
        None,
        description="the same event again, in the same file or another: an error, dropped (the "
        "first stays) or kept; none: refuse",
    )
    weights: WeightsConfig
    copies: list[Literal["root", "npz", "parquet"]] = Field(
        default_factory=list, description="formats of copies of the dataset to look at"
    )
