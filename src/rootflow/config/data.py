"""Settings of samples and ntuples, the selections and the dataset."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    model_validator,
)

from rootflow.config.block import Block, Name, interval

DATA: Final = "data"
LABEL = (
    "the class that a classifier learns (signal, background, or others); data: real collisions, "
    "only looked at"
)


Window = Annotated[tuple[NonNegativeFloat, PositiveFloat], interval("window")]


class SampleConfig(Block):
    """The ntuples of one process, or of collisions."""

    label: Name | None = Field(None, description=LABEL)
    files: list[str] = Field(
        default_factory=list,
        description="paths, URLs or globs; none: what simulate makes of the process of this name",
    )
    branch_map: str | None = Field(None, description="none: that of all samples")
    pseudo_data: bool = Field(
        False, description="of data: simulation that stands for collisions, each event once"
    )
    title: str | None = Field(None, description="in figures, may have $LaTeX$; none: its name")
    cross_section_pb: PositiveFloat | None = Field(None, description="none: what the ntuple says")
    sum_of_weights: PositiveFloat | None = Field(
        None, description="before any cut that made the ntuples; none: what they say"
    )

    @model_validator(mode="after")
    def _data_has_files_and_no_cross_section(self) -> Self:
        if self.label == DATA:
            if not self.files:
                raise ValueError("files: real data is not simulated: name its files")
            if self.cross_section_pb is not None or self.sum_of_weights is not None:
                raise ValueError("real data has neither cross_section_pb nor sum_of_weights")
        elif self.pseudo_data:
            raise ValueError(f"pseudo_data is for samples of label data, this one is {self.label}")
        return self

    @property
    def are_collisions(self) -> bool:
        """Whether each event is one that was measured: the same identity is the same event."""
        return self.label == DATA and not self.pseudo_data


class LabelledSampleConfig(SampleConfig):
    """The ntuples of one process of a class, or of collisions."""

    label: Name = Field(description=LABEL)


class FourLeptonSelectionConfig(Block):
    """Which events are kept; the same cuts for data and simulation.

    A cut on a quantity that the branch map does not name is an error: switch it off with
    null (or false).
    """

    trigger: bool = Field(True, description="one of the map's trigger branches has fired")
    exactly_four_leptons: bool = Field(
        True, description="false: four or more, and the four leading in pT are used"
    )
    lepton_pt_min_gev: tuple[
        NonNegativeFloat, NonNegativeFloat, NonNegativeFloat, NonNegativeFloat
    ] = Field((20.0, 15.0, 10.0, 7.0), description="of the four leptons as they fall in pT")
    electron_abs_eta_max: PositiveFloat = 2.47
    muon_abs_eta_max: PositiveFloat = 2.7
    tight_leptons_min: NonNegativeInt = Field(
        0, le=4, description="how many of the four pass the tight identification"
    )
    ptcone30_over_pt_max: PositiveFloat | None = Field(0.3, description="track isolation")
    etcone20_over_pt_max: PositiveFloat | None = Field(0.3, description="calorimeter isolation")
    electron_d0_significance_max: PositiveFloat | None = 5.0
    muon_d0_significance_max: PositiveFloat | None = 3.0
    z0_sin_theta_max_mm: PositiveFloat | None = 0.5
    zero_total_charge: bool = True
    same_flavour_pairs: bool = Field(
        True, description="two pairs of the same flavour and opposite charge: 4e, 2e2mu, 4mu"
    )
    z1_mass_gev: Window | None = Field((50.0, 106.0), description="pair nearest to the Z mass")
    z2_mass_gev: Window | None = Field((12.0, 115.0), description="the other pair")
    pair_mass_min_gev: NonNegativeFloat = Field(
        5.0, description="of every pair of same flavour and opposite charge: no J/psi"
    )
    four_lepton_mass_gev: Window | None = None


ALL: Final = "all"

RepeatedEvents = Literal["refuse", "drop", "keep"]
SumOfWeights = Literal["per_file", "per_sample", "as_read"]
SUMS = (
    "what the ntuple's branch holds: per_file, the sum of the file's own job, to be added over "
    "files, or per_sample, that of the whole sample, the same in each of its files; as_read: the "
    "sum of what is read; none: per_file where the files say different things, an error where "
    "they say the same"
)


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


HeldOut = Annotated[int | Literal["all"], BeforeValidator(_fold_or_all)]
HELD_OUT = "the fold that the model is evaluated on; all: a model for each fold"


class HeldOutConfig(FoldingConfig):
    """How events are divided into folds, and which of them models do not see."""

    held_out: HeldOut = Field(0, description=HELD_OUT)

    @property
    def folding(self) -> FoldingConfig:
        """How events are divided, whichever is held out."""
        return FoldingConfig(count=self.count, scheme=self.scheme)

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


class EachHeldOutConfig(HeldOutConfig):
    """How events are divided into folds, and which of them models do not see."""

    held_out: HeldOut = Field(ALL, description=HELD_OUT)


class FoldsConfig(HeldOutConfig):
    """How events are divided into folds, and which fold a model has not seen."""

    held_out: int = Field(0, ge=0)


class WeightsConfig(Block):
    """How event weights are made, and what happens to negative ones.

    Without a luminosity they are what the ntuple says. With one, the weight of an event is
    cross section x luminosity x weight of the ntuple / sum of weights: the events expected in
    data.
    """

    negative: Literal["keep", "absolute", "drop"] = Field(
        description="what training does with negative weights; the dataset keeps them"
    )
    luminosity_fb_inverse: PositiveFloat | None = Field(
        None, description="with it, weights are scaled to the expected events"
    )
    sum_of_weights: PositiveFloat | SumOfWeights | None = Field(
        None,
        description="as of samples (per_file, per_sample, as_read); of the one sample of `files`: "
        "a number, before any cut that made the ntuple; none: what its files say, where the branch "
        "map says that they do, else as_read",
    )


class OneSampleWeightsConfig(WeightsConfig):
    """How event weights are made, and what happens to negative ones."""

    cross_section_pb: PositiveFloat | None = Field(
        None, description="of the one sample that `files` names, with the luminosity"
    )


class LabelledWeightsConfig(WeightsConfig):
    """How simulated events are weighted. Training scales the weights on top."""

    luminosity_fb_inverse: PositiveFloat
    sum_of_weights: SumOfWeights | None = Field(None, description=SUMS)
    class_balance: bool = Field(
        True, description="training gives all classes the same sum of weights"
    )


class ObjectsConfig(Block):
    """Which objects of a collection count."""

    pt_min_gev: NonNegativeFloat = 0.0
    abs_eta_max: PositiveFloat | None = None


class ReadingConfig(Block):
    """Which objects and events count, and what is derived of them."""

    objects: dict[Name, ObjectsConfig] = Field(
        {}, description="by collection, beside what the analysis asks of it"
    )
    features: dict[str, str] = Field(
        {}, description="by name: expressions of features of the event, or of COLLECTION.FEATURE"
    )
    cuts: dict[str, str] = Field(
        {}, description="by the name that the cutflow shows: conditions, in this order"
    )


BadFiles = Literal["refuse", "skip"]


class DataConfig(ReadingConfig):
    """The ntuples of every sample, what is read from them, and which events are kept."""

    samples: Mapping[Name, SampleConfig] = Field({}, description="instead of files")
    branch_map: str = Field(description="name of a shipped map, or a YAML file")
    folds: HeldOutConfig = HeldOutConfig()
    repeated_events: RepeatedEvents | None = Field(
        None,
        description="the same event again, in the same file or another: an error, dropped (the "
        "first stays) or kept; none: refuse in simulation, drop in collisions",
    )
    bad_files: BadFiles = Field(
        "refuse",
        description="skip: what is missing, broken or without the branches is left out and told",
    )
    weights: WeightsConfig
    workers: int | None = Field(
        None, ge=1, le=1024, description="processes that read the files; none: one for each core"
    )
    copies: list[Literal["root", "rntuple", "parquet", "npz"]] = Field(
        default_factory=list, description="formats of copies of the dataset to look at"
    )


class DileptonDataConfig(DataConfig):
    """The ntuples of dileptonic events, and which are kept."""

    files: list[str] = Field(
        default_factory=list, description="paths, URLs or globs; none: what simulate makes"
    )
    branch_map: str = Field("topcptoolkit", description="name of a shipped map, or a YAML file")
    max_jets: int = Field(8, ge=2, le=100, description="jets kept of each event, the leading in pT")
    selection: SelectionConfig = SelectionConfig()
    weights: OneSampleWeightsConfig

    @model_validator(mode="after")
    def _is_one_sample_or_more(self) -> Self:
        weights = self.weights
        if self.samples:
            if self.files:
                raise ValueError("give files or samples, not both")
            if weights.cross_section_pb is not None or isinstance(weights.sum_of_weights, float):
                raise ValueError(
                    "weights: cross_section_pb and the number of sum_of_weights are of one "
                    "sample: give those of each among samples"
                )
        elif (weights.cross_section_pb is None) != (weights.luminosity_fb_inverse is None):
            raise ValueError(
                "weights: give both cross_section_pb and luminosity_fb_inverse, or neither"
            )
        elif weights.sum_of_weights is not None and weights.cross_section_pb is None:
            raise ValueError("weights: sum_of_weights is used only with cross_section_pb")
        return self


class LabelledDataConfig(DataConfig):
    """The ntuples of every class, what is read from them, and which events are kept."""

    samples: Mapping[Name, LabelledSampleConfig] = Field(min_length=1)
    folds: EachHeldOutConfig = EachHeldOutConfig()
    weights: LabelledWeightsConfig


class FourLeptonDataConfig(LabelledDataConfig):
    """The ntuples of four-lepton events, and which are kept."""

    branch_map: str = Field("atlas_open_data", description="name of a shipped map, or a YAML file")
    selection: FourLeptonSelectionConfig = FourLeptonSelectionConfig()


class CollectionsDataConfig(LabelledDataConfig):
    """The ntuples of events with any collections, and which are kept."""

    slots: dict[Name, Annotated[int, Field(ge=1, le=1000)]] = Field(
        description="objects kept of each event, the leading in pT, by collection"
    )
