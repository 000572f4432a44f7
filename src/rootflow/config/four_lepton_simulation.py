"""Settings of the simulation of four-lepton events."""

from typing import Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat

from rootflow.config.block import Block
from rootflow.config.simulation import (
    DetectorConfig,
    ElectronsConfig,
    EventCount,
    JetSelectionConfig,
    MuonsConfig,
    PileUpConfig,
    ProductionConfig,
    PythiaConfig,
)
from rootflow.errors import UsageError

Process = Literal["ggH", "VBFH", "ZZ"]


class FourLeptonGeneratorConfig(PythiaConfig):
    """What Pythia generates: both Z bosons decay to electrons or muons."""

    higgs_mass_gev: PositiveFloat = Field(
        125.0, description="the published cross sections are those at 125.0"
    )
    higgs_z_mass_min_gev: PositiveFloat = Field(
        1.0, description="of both Z of a Higgs boson: so low that nothing is lost"
    )
    zz_z_mass_min_gev: PositiveFloat = Field(
        10.0, description="of both Z/gamma* of ZZ, below that of the analysis (choice)"
    )
    taus: bool = Field(False, description="Z decays to tau beside those to e and mu")


class CrossSectionsConfig(Block):
    """What the weights of the samples add up to, for protons at 13 TeV and m_H = 125.0 GeV.

    The branching ratios count the interference of identical leptons, which the generator
    does not have.
    """

    gluon_fusion_pb: PositiveFloat = Field(48.58, description="N3LO, arXiv:1610.07922")
    vector_boson_fusion_pb: PositiveFloat = Field(
        3.782, description="NNLO QCD and NLO electroweak, arXiv:1610.07922"
    )
    branching_ratio: PositiveFloat = Field(
        1.240e-4, description="of H -> ZZ* -> 4l, l = e, mu, arXiv:1610.07922"
    )
    branching_ratio_with_taus: PositiveFloat = Field(
        2.745e-4, description="l = e, mu, tau: what counts with generator.taus"
    )
    zz_k_factor: PositiveFloat = Field(
        1.57,
        description="on the generator's leading order: NNLO over LO without gg -> ZZ, "
        "(14.51 + 0.4 x (16.91 - 14.51)) / 9.887, of arXiv:1405.2219, where gg -> ZZ is 60 % "
        "of what NNLO adds to NLO",
    )


class PublishedCrossSectionConfig(Block):
    """A cross section times branching ratio."""

    cross_section_pb: PositiveFloat


class GeneratorCrossSectionConfig(Block):
    """The generator's leading-order cross section, of its forced decays, times a factor."""

    k_factor: PositiveFloat


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


class LooseLeptonsConfig(JetSelectionConfig):
    """Which events are written: four loose leptons or more, isolated or not."""

    leptons_min: NonNegativeInt = 4
    electron_pt_min_gev: PositiveFloat = 7.0
    electron_eta_max: PositiveFloat = 2.47
    muon_pt_min_gev: PositiveFloat = 5.0
    muon_eta_max: PositiveFloat = 2.7
    jet_pt_min_gev: PositiveFloat = Field(20.0, description="as in the ATLAS Open Data ntuples")


class _ForEveryProcess(ProductionConfig):
    generator: FourLeptonGeneratorConfig = FourLeptonGeneratorConfig()
    detector: FourLeptonDetectorConfig = FourLeptonDetectorConfig()
    selection: LooseLeptonsConfig = LooseLeptonsConfig()


class FourLeptonProcessConfig(_ForEveryProcess):
    """One process: what to generate, and the detector that sees it."""

    process: Process
    events: EventCount = Field(description="selected events to write")
    cross_section: PublishedCrossSectionConfig | GeneratorCrossSectionConfig


class FourLeptonSimulationConfig(_ForEveryProcess):
    """Which processes to generate, how many events of each, and the detector."""

    events: dict[Process, EventCount] = Field(
        {"ggH": 4000, "VBFH": 1000, "ZZ": 5000}, description="selected events to write"
    )
    cross_sections: CrossSectionsConfig = CrossSectionsConfig()

    def of(self, process: str) -> FourLeptonProcessConfig:
        """Return what simulates one process.

        Raises
        ------
        UsageError
            It is not configured.
        """
        for known, events in self.events.items():
            if known == process:
                return FourLeptonProcessConfig(
                    process=known,
                    events=events,
                    cross_section=self._cross_section(known),
                    **{name: getattr(self, name) for name in _ForEveryProcess.model_fields},
                )
        raise UsageError(
            f"simulation.events: no process '{process}': simulated are {', '.join(self.events)}"
        )

    def _cross_section(
        self, process: Process
    ) -> PublishedCrossSectionConfig | GeneratorCrossSectionConfig:
        numbers = self.cross_sections
        if process == "ZZ":
            return GeneratorCrossSectionConfig(k_factor=numbers.zz_k_factor)
        production = {
            "ggH": numbers.gluon_fusion_pb,
            "VBFH": numbers.vector_boson_fusion_pb,
        }[process]
        branching_ratio = (
            numbers.branching_ratio_with_taus if self.generator.taus else numbers.branching_ratio
        )
        return PublishedCrossSectionConfig(cross_section_pb=production * branching_ratio)
