"""The processes: what Pythia is told to generate, and which branches are written of it."""

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from rootflow.config.four_lepton_simulation import (
    FourLeptonGeneratorConfig,
    FourLeptonProcessConfig,
    Process,
)
from rootflow.config.simulation import GeneratorConfig, SimulationConfig
from rootflow.simulation.event import observe_top_pairs
from rootflow.simulation.four_lepton_event import observe_four_leptons
from rootflow.simulation.generator import Generator

TOP_PAIRS = {"gg": "Top:gg2ttbar = on", "qq": "Top:qqbar2ttbar = on"}
HIGGS = {
    "ggH": ["HiggsSM:gg2H = on"],
    "VBFH": ["HiggsSM:ff2Hff(t:ZZ) = on", "HiggsSM:ff2Hff(t:WW) = on"],
}


def start_generator(
    config: SimulationConfig | FourLeptonProcessConfig, pythia_seed: int
) -> Generator:
    """Return Pythia with the configured process.

    Raises
    ------
    UsageError
        Pythia does not know a setting, or cannot start with them.
    """
    if isinstance(config, SimulationConfig):
        return Generator(config.generator, top_pair_settings(config.generator), pythia_seed)
    settings = four_lepton_settings(config.process, config.generator)
    return Generator(config.generator, settings, pythia_seed)


def observe(
    batch: ak.Array,
    config: SimulationConfig | FourLeptonProcessConfig,
    rng: np.random.Generator,
) -> tuple[ak.Array, NDArray[np.bool_]]:
    """Return the branches of the selected events, and which of the n events these are."""
    if isinstance(config, SimulationConfig):
        return observe_top_pairs(batch, config.detector, config.selection, rng)
    return observe_four_leptons(batch, config, rng)


def top_pair_settings(config: GeneratorConfig) -> list[str]:
    """Return Pythia's settings for top-antitop events with all W decaying to leptons."""
    return [
        *(TOP_PAIRS[state] for state in config.initial_states),
        f"6:m0 = {config.top_mass_gev}",
        f"24:m0 = {config.w_mass_gev}",
        "24:onMode = off",
        f"24:onIfAny = {_leptons(config.taus)}",
    ]


def four_lepton_settings(process: Process, config: FourLeptonGeneratorConfig) -> list[str]:
    """Return Pythia's settings for two Z (of ZZ also photons) that decay to leptons."""
    decays = ["23:onMode = off", f"23:onIfAny = {_leptons(config.taus)}"]
    if process == "ZZ":
        return [
            "WeakDoubleBoson:ffbar2gmZgmZ = on",
            f"23:mMin = {config.zz_z_mass_min_gev}",
            *decays,
        ]
    return [
        *HIGGS[process],
        f"25:m0 = {config.higgs_mass_gev}",
        "25:onMode = off",
        "25:onIfMatch = 23 23",
        f"23:mMin = {config.higgs_z_mass_min_gev}",
        *decays,
    ]


def _leptons(taus: bool) -> str:
    return "11 13 15" if taus else "11 13"
