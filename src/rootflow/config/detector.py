"""Settings of the detector that simulated events are measured with."""

from itertools import pairwise

from pydantic import Field, NonNegativeFloat, PositiveFloat, field_validator, model_validator

from rootflow.config.block import Block


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


class LooseElectronsConfig(ElectronsConfig):
    """Electrons of a loose identification, some of which pass a tight one."""

    efficiency: float = Field(0.95, ge=0, le=1, description="loosely identified (choice)")
    tight_efficiency: float = Field(0.85, ge=0, le=1, description="of the loose ones (choice)")


class LooseMuonsConfig(MuonsConfig):
    """Muons of a loose identification, some of which pass a tight one."""

    efficiency: float = Field(0.98, ge=0, le=1, description="loosely identified (choice)")
    tight_efficiency: float = Field(0.95, ge=0, le=1, description="of the loose ones (choice)")


class TracksConfig(Block):
    """Impact parameters: sigma = at_high_pt (1 (+) pt_gev / pT), pT in GeV.

    The numbers are those at abs(eta) of 0.25 to 0.5 in 2008 JINST 3 S08003, section 10.2.
    """

    eta_max: PositiveFloat = 2.5
    d0_at_high_pt_mm: PositiveFloat = 0.010
    d0_pt_gev: NonNegativeFloat = 14.0
    z0_sin_theta_at_high_pt_mm: PositiveFloat = 0.091
    z0_sin_theta_pt_gev: NonNegativeFloat = 2.3


class IsolationConfig(Block):
    """Sums over the particles around a lepton; nothing comes from other collisions."""

    track_distance: PositiveFloat = Field(0.3, description="of ptcone30")
    track_pt_min_gev: NonNegativeFloat = 1.0
    calorimeter_distance: PositiveFloat = Field(0.2, description="of etcone20")
    calorimeter_noise_gev: NonNegativeFloat = Field(
        0.8, description="Gaussian, of etcone20: noise and subtracted pile-up (choice)"
    )


class TriggerConfig(Block):
    """Single-lepton triggers: each lepton above the threshold fires with an efficiency."""

    electron_pt_min_gev: NonNegativeFloat = Field(27.0, description="offline (choice)")
    electron_efficiency: float = Field(0.95, ge=0, le=1, description="(choice)")
    muon_pt_min_gev: NonNegativeFloat = Field(27.0, description="offline (choice)")
    muon_efficiency: float = Field(0.80, ge=0, le=1, description="(choice)")


class FourLeptonDetectorConfig(DetectorConfig):
    """A parametrised response of the kind of the ATLAS detector, down to soft leptons."""

    electrons: LooseElectronsConfig = LooseElectronsConfig()
    muons: LooseMuonsConfig = LooseMuonsConfig()
    pile_up: PileUpConfig = PileUpConfig(mean_jets=0.12)
    tracks: TracksConfig = TracksConfig()
    isolation: IsolationConfig = IsolationConfig()
    trigger: TriggerConfig = TriggerConfig()
