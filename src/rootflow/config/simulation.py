"""Settings of the simulation: what is generated, and which events are written."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from rootflow.config.block import Block
from rootflow.config.detector import DetectorConfig, FourLeptonDetectorConfig
from rootflow.errors import UsageError

EventCount = Annotated[int, Field(ge=1, le=1_000_000_000)]
DileptonProcess = Literal["ttbar", "z_jets", "ww"]
Layout = Literal["topcptoolkit", "nanoaod_v9", "nanoaod_v12", "nanoaod_v15"]
FourLeptonProcess = Literal["ggH", "VBFH", "ZZ"]


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


class DileptonGeneratorConfig(GeneratorConfig):
    """What Pythia generates of ttbar and its backgrounds: W and Z decay to electrons or muons."""

    z_mass_min_gev: PositiveFloat = Field(
        50.0, description="of Z/gamma*: the published cross section is that above 50 GeV"
    )


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


class JetSelectionConfig(Block):
    """Which jets are written."""

    jet_pt_min_gev: PositiveFloat = 25.0
    jet_eta_max: PositiveFloat = 2.5
    electron_jet_distance: NonNegativeFloat = Field(0.2, description="nearer jets are dropped")


class DileptonSelectionConfig(JetSelectionConfig):
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


class LooseLeptonsConfig(JetSelectionConfig):
    """Which events are written: four loose leptons or more, isolated or not."""

    leptons_min: NonNegativeInt = 4
    electron_pt_min_gev: PositiveFloat = 7.0
    electron_eta_max: PositiveFloat = 2.47
    muon_pt_min_gev: PositiveFloat = 5.0
    muon_eta_max: PositiveFloat = 2.7
    jet_pt_min_gev: PositiveFloat = Field(20.0, description="as in the ATLAS Open Data ntuples")


class PublishedCrossSectionConfig(Block):
    """A cross section times branching ratio."""

    cross_section_pb: PositiveFloat


class GeneratorCrossSectionConfig(Block):
    """The generator's leading-order cross section, of its forced decays, times a factor."""

    k_factor: PositiveFloat


CrossSection = PublishedCrossSectionConfig | GeneratorCrossSectionConfig


class DileptonCrossSectionsConfig(Block):
    """What the weights of the samples add up to, for protons at 13 TeV."""

    ttbar_pb: PositiveFloat = Field(
        831.76, description="NNLO and NNLL at m_t = 172.5 GeV, arXiv:1303.6254 (Top++ 2.0)"
    )
    z_per_flavour_pb: PositiveFloat = Field(
        2025.74,
        description="Z/gamma* to one flavour of leptons of m > 50 GeV, NNLO QCD and NLO "
        "electroweak (FEWZ 3.1, arXiv:1208.5967)",
    )
    ww_pb: PositiveFloat = Field(118.7, description="NNLO with gg to WW, arXiv:1408.5243")
    w_to_e_or_mu: PositiveFloat = Field(0.2134, description="PDG 2022: 10.71 % and 10.63 %")
    w_to_e_mu_or_tau: PositiveFloat = Field(
        0.3272, description="and 11.38 %: what counts with generator.taus"
    )

    def of(self, process: str, taus: bool) -> CrossSection:
        """Return the cross section of a process, decays included."""
        if process == "z_jets":
            return PublishedCrossSectionConfig(
                cross_section_pb=(3 if taus else 2) * self.z_per_flavour_pb
            )
        production = {"ttbar": self.ttbar_pb, "ww": self.ww_pb}[process]
        branching_ratio = (self.w_to_e_mu_or_tau if taus else self.w_to_e_or_mu) ** 2
        return PublishedCrossSectionConfig(cross_section_pb=production * branching_ratio)


class FourLeptonCrossSectionsConfig(Block):
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

    def of(self, process: str, taus: bool) -> CrossSection:
        """Return the cross section of a process, decays included."""
        if process == "ZZ":
            return GeneratorCrossSectionConfig(k_factor=self.zz_k_factor)
        production = {"ggH": self.gluon_fusion_pb, "VBFH": self.vector_boson_fusion_pb}[process]
        branching_ratio = self.branching_ratio_with_taus if taus else self.branching_ratio
        return PublishedCrossSectionConfig(cross_section_pb=production * branching_ratio)


class ProductionConfig(Block):
    """How the work is divided: into chunks, files and processes of the computer."""

    workers: PositiveInt = Field(
        2, le=1024, description="processes; the sample does not depend on it"
    )
    events_per_chunk: PositiveInt = Field(
        500, le=16_384, description="a kill loses at most one chunk per worker"
    )
    events_per_file: PositiveInt = 100_000


class ProcessConfig(ProductionConfig):
    """One process: what to generate, and how many events of it."""

    process: str
    events: EventCount = Field(description="selected events to write")
    generator: PythiaConfig
    detector: DetectorConfig
    selection: JetSelectionConfig


class WeightedProcessConfig(ProcessConfig):
    """One process, whose ntuples say how many events are expected."""

    cross_section: CrossSection


class SimulationConfig(ProcessConfig):
    """Dileptonic ttbar: what to generate, and the detector that sees it."""

    process: Literal["ttbar"] = "ttbar"
    layout: Layout = Field(
        "topcptoolkit", description="branches of the ntuples: those that this shipped map reads"
    )
    events: EventCount = Field(20_000, description="selected events to write")
    generator: GeneratorConfig = GeneratorConfig()
    detector: DetectorConfig = DetectorConfig()
    selection: DileptonSelectionConfig = DileptonSelectionConfig()


class DileptonProcessConfig(WeightedProcessConfig):
    """Dileptonic ttbar or a background of it: what to generate, and the detector."""

    process: DileptonProcess
    generator: DileptonGeneratorConfig = DileptonGeneratorConfig()
    detector: DetectorConfig = DetectorConfig()
    selection: DileptonSelectionConfig = DileptonSelectionConfig()


class FourLeptonProcessConfig(WeightedProcessConfig):
    """A process with four leptons: what to generate, and the detector that sees it."""

    process: FourLeptonProcess
    generator: FourLeptonGeneratorConfig = FourLeptonGeneratorConfig()
    detector: FourLeptonDetectorConfig = FourLeptonDetectorConfig()
    selection: LooseLeptonsConfig = LooseLeptonsConfig()


class _ProcessesConfig(ProductionConfig):
    one: ClassVar[type[WeightedProcessConfig]]

    def of(self, process: str) -> WeightedProcessConfig:
        """Return what simulates one process, which must be configured."""
        values = dict(self)
        events, cross_sections = values.pop("events"), values.pop("cross_sections")
        if process not in events:
            raise UsageError(
                f"simulation.events: no process '{process}': simulated are {', '.join(events)}"
            )
        return self.one(
            process=process,
            events=events[process],
            cross_section=cross_sections.of(process, values["generator"].taus),
            **values,
        )


class DileptonSimulationConfig(_ProcessesConfig):
    """How many events to generate of ttbar and its dileptonic backgrounds, and the detector."""

    one = DileptonProcessConfig
    events: dict[DileptonProcess, EventCount] = Field(
        {"ttbar": 5000, "z_jets": 2500, "ww": 2500}, description="selected events to write"
    )
    generator: DileptonGeneratorConfig = DileptonGeneratorConfig()
    detector: DetectorConfig = DetectorConfig()
    selection: DileptonSelectionConfig = DileptonSelectionConfig()
    cross_sections: DileptonCrossSectionsConfig = DileptonCrossSectionsConfig()


class FourLeptonSimulationConfig(_ProcessesConfig):
    """Which processes with four leptons to generate, how many events of each, and the detector."""

    one = FourLeptonProcessConfig
    events: dict[FourLeptonProcess, EventCount] = Field(
        {"ggH": 4000, "VBFH": 1000, "ZZ": 5000}, description="selected events to write"
    )
    generator: FourLeptonGeneratorConfig = FourLeptonGeneratorConfig()
    detector: FourLeptonDetectorConfig = FourLeptonDetectorConfig()
    selection: LooseLeptonsConfig = LooseLeptonsConfig()
    cross_sections: FourLeptonCrossSectionsConfig = FourLeptonCrossSectionsConfig()
