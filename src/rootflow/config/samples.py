"""Settings of samples, and of the selection of four-lepton events."""

from typing import Annotated, Final, Self

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, model_validator

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
        description="paths or globs; none: what simulate makes of the process of this name",
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
