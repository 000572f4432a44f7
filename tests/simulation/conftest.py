"""A small sample without multiparton interactions: quick, and the same detector."""

import numpy as np
import pytest

from rootflow.config.simulation import (
    DileptonGeneratorConfig,
    DileptonSimulationConfig,
    FourLeptonGeneratorConfig,
    FourLeptonSimulationConfig,
    GeneratorConfig,
    SimulationConfig,
)
from rootflow.simulation.chunk import Generator, make_chunk
from rootflow.simulation.ntuple import Ntuple
from rootflow.simulation.record import GeneratorRecord, TopDecays, find_top_decays

QUICK = GeneratorConfig(multiparton_interactions=False)


@pytest.fixture(scope="session")
def quick_config() -> SimulationConfig:
    return SimulationConfig(
        events=50, events_per_chunk=20, events_per_file=40, workers=2, generator=QUICK
    )


@pytest.fixture(scope="session")
def ntuple(quick_config: SimulationConfig) -> Ntuple:
    """Return 300 selected events."""
    return make_chunk(quick_config, seed=5, chunk=0, events=300)


@pytest.fixture(scope="session")
def quick_four_leptons() -> FourLeptonSimulationConfig:
    return FourLeptonSimulationConfig(
        events={"ggH": 50, "VBFH": 30, "ZZ": 50},
        events_per_chunk=20,
        events_per_file=40,
        workers=2,
        generator=FourLeptonGeneratorConfig(multiparton_interactions=False),
    )


@pytest.fixture(scope="session")
def higgs_ntuple(quick_four_leptons: FourLeptonSimulationConfig) -> Ntuple:
    """Return 600 selected events of gg -> H."""
    return make_chunk(quick_four_leptons.of("ggH"), seed=5, chunk=0, events=600)


@pytest.fixture(scope="session")
def quick_dileptons() -> DileptonSimulationConfig:
    return DileptonSimulationConfig(
        events={"ttbar": 6, "z_jets": 6, "ww": 6},
        events_per_chunk=3,
        workers=2,
        generator=DileptonGeneratorConfig(multiparton_interactions=False),
    )


@pytest.fixture(scope="session")
def record() -> GeneratorRecord:
    """Return the record of 200 generated events."""
    return GeneratorRecord.of(
        Generator(SimulationConfig(generator=QUICK), pythia_seed=11).events(200).prt
    )


@pytest.fixture(scope="session")
def decays(record: GeneratorRecord) -> TopDecays:
    return find_top_decays(record)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)
