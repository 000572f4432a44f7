"""Settings of the simulation."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from rootflow.config.block import Block

EventCount = Annotated[int, Field(ge=1, le=1_000_000_000)]


class PythiaConfig(Block):
    """What Pythia does with every process: shower, hadronisation, multiparton interactions."""

    energy_tev: PositiveFloat = Field(13.0, description="proton-proton centre-of-mass energy")
    multiparton_interactions: bool = True
    settings: list[str] = Field(
        default_factory=list, description="further Pythia settings, as in 'Tune:pp = 21'"
    )


class GeneratorConfig(PythiaConfig):
    """Which top-antitop events Pythia generates."""

    initial_states: list[Literal["gg", "qq"]] = Field(["gg", "qq"], min_length=1)
    top_mass_gev: PositiveFloat = Field(172.5, description="as in the LHC experiments' samples")
    w_mass_gev: PositiveFloat = Field(80.379, description="PDG 2018")
    taus: bool = Field(False, description="W decays to tau beside those to e and mu")


class JetsConfig(Block):
    """Anti-kt jets and their response.

    The relative pT resolution is noise / pT (+) stochastic / sqrt(pT) (+) constant, (+) being
    a sum in quadrature and pT in GeV. With these terms it is 24 % at 20 GeV and 6 % at
    300 GeV, as measured in arXiv:2007.02645 (abstract).
    """

    radius: PositiveFloat = 0.4
    particle_eta_max: PositiveFloat = Field(
        4.9, description="coverage of the calorimeters, 2008 JINST 3 S08003"
    )
    particle_jet_pt_min_gev: PositiveFloat = Field(
        10.0, description="softer jets have no chance to fluctuate above the selection (choice)"
    )
    noise_gev: NonNegativeFloat = 3.4
    stochastic: NonNegativeFloat = Field(0.75, description="in sqrt(GeV)")
    constant: NonNegativeFloat = 0.04
    angle: NonNegativeFloat = Field(0.01, description="resolution of eta and phi (choice)")


class ElectronsConfig(Block):
    """Electrons: sigma(E)/E = stochastic / sqrt(E) (+) constant, E in GeV.

    10 % and 0.7 % are the design figures of 2008 JINST 3 S08003, table 1.1.
    """

    efficiency: float = Field(0.85, ge=0, le=1, description="identified and isolated (choice)")
    stochastic: NonNegativeFloat = Field(0.10, description="in sqrt(GeV)")
    constant: NonNegativeFloat = 0.007
    angle: NonNegativeFloat = Field(0.0005, description="resolution of eta and phi (choice)")


class MuonsConfig(Block):
    """Muons: sigma(pT)/pT = constant (+) linear_per_tev pT, pT in TeV.

    1.7 % at low pT is measured in arXiv:1407.3935 (abstract); 10 % at 1 TeV is the design
    figure of 2008 JINST 3 S08003, table 1.1.
    """

    efficiency: float = Field(0.95, ge=0, le=1, description="identified and isolated (choice)")
    constant: NonNegativeFloat = 0.017
    linear_per_tev: NonNegativeFloat = 0.10
    angle: NonNegativeFloat = Field(0.0005, description="resolution of eta and phi (choice)")


class BTaggingConfig(Block):
    """Probability of a jet to pass each working point, by its flavour.

    The working points are those of GN2 (arXiv:2505.19689), named by their b-jet efficiency.
    The efficiencies of charm and light jets are choices of the order of what it reaches.
    """

    working_points: list[float] = Field([0.90, 0.85, 0.77, 0.70, 0.65], min_length=1)
    b_jets: list[float] = Field([0.90, 0.85, 0.77, 0.70, 0.65])
    c_jets: list[float] = Field([0.41, 0.21, 0.088, 0.041, 0.028])
    light_jets: list[float] = Field([0.055, 0.017, 0.004, 0.0013, 0.0007])
    hadron_pt_min_gev: NonNegativeFloat = Field(
        5.0, description="of the b or c hadron that gives a jet its flavour"
    )
    hadron_distance: PositiveFloat = Field(0.3, description="largest dR of hadron and jet")

    @field_validator("working_points", "b_jets", "c_jets", "light_jets")
    @classmethod
    def _tighter_and_tighter(cls, values: list[float]) -> list[float]:
        falling = all(loose >= tight for loose, tight in pairwise(values))
        if not falling or not all(0 <= value <= 1 for value in values):
            raise ValueError("efficiencies are between 0 and 1, from the loosest to the tightest")
        return values

    @model_validator(mode="after")
    def _one_per_working_point(self) -> "BTaggingConfig":
        for flavour in ("b_jets", "c_jets", "light_jets"):
            if len(getattr(self, flavour)) != len(self.working_points):
                raise ValueError(
                    f"{flavour} needs one efficiency for each of the"
                    f" {len(self.working_points)} working points"
                )
        return self


class PileUpConfig(Block):
    """Jets of other collisions of the same bunch crossing that survive their rejection.

    Their number is Poisson distributed; pT falls as a power from the selection's threshold
    on; they are uniform in eta and phi and have the mass of a soft jet (all choices).
    """

    mean_jets: NonNegativeFloat = Field(
        0.05, le=1000, description="selected pile-up jets per event"
    )
    pt_exponent: float = Field(5.0, gt=1, description="dN/dpT goes as pT to minus this")
    mass_over_pt: NonNegativeFloat = 0.15


class MetConfig(Block):
    """Missing transverse momentum: what the hard objects are mismeasured by, and a soft term."""

    jet_pt_min_gev: NonNegativeFloat = Field(
        20.0, description="softer jets belong to the soft term, as in arXiv:1802.08168"
    )
    soft_term_gev: NonNegativeFloat = Field(
        7.0, description="resolution of the soft term's px and of its py (choice)"
    )


class DetectorConfig(Block):
    """A parametrised response of the kind of the ATLAS detector."""

    jets: JetsConfig = JetsConfig()
    electrons: ElectronsConfig = ElectronsConfig()
    muons: MuonsConfig = MuonsConfig()
    dressing_distance: NonNegativeFloat = Field(
        0.1, description="photons radiated within this dR are measured with their lepton"
    )
    btagging: BTaggingConfig = BTaggingConfig()
    pile_up: PileUpConfig = PileUpConfig()
    met: MetConfig = MetConfig()


class JetSelectionConfig(Block):
    """Which jets are written."""

    jet_pt_min_gev: PositiveFloat = 25.0
    jet_eta_max: PositiveFloat = 2.5
    electron_jet_distance: NonNegativeFloat = Field(0.2, description="nearer jets are dropped")


class SelectionConfig(JetSelectionConfig):
    """Which events are written: two opposite-sign leptons (e, mu) and jets.

    Overlaps are removed as ATLAS does: a jet next to an electron is that electron; a lepton
    next to a remaining jet is taken to come from it.
    """

    lepton_pt_min_gev: NonNegativeFloat = 25.0
    lepton_eta_max: PositiveFloat = 2.5
    jets_min: NonNegativeInt = 2
    jet_lepton_distance: NonNegativeFloat = Field(0.4, description="nearer leptons are dropped")
    parton_jet_distance: PositiveFloat = Field(
        0.4, description="largest dR of a b quark and the jet that is called its own"
    )


class ProductionConfig(Block):
    """How the work is divided: into chunks, files and processes of the computer."""

    workers: PositiveInt = Field(
        2, le=1024, description="processes; the sample does not depend on it"
    )
    events_per_chunk: PositiveInt = Field(
        500, le=16_384, description="a kill loses at most one chunk per worker"
    )
    events_per_file: PositiveInt = 100_000


class SimulationConfig(ProductionConfig):
    """What to generate, and the detector that sees it."""

    process: Literal["ttbar"] = "ttbar"
    events: EventCount = Field(20_000, description="selected events to write")
    generator: GeneratorConfig = GeneratorConfig()
    detector: DetectorConfig = DetectorConfig()
    selection: SelectionConfig = SelectionConfig()
