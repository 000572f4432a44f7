"""The processes by name: what Pythia is told to generate, and what is written of it."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from rootflow.config.simulation import (
    DileptonGeneratorConfig,
    FourLeptonGeneratorConfig,
    GeneratorConfig,
    ProcessConfig,
    SimulationConfig,
)
from rootflow.simulation.record import (
    Decays,
    GeneratorRecord,
    find_top_decays,
    find_w_decays,
    find_z_decays,
)

TOP_PAIRS = {"gg": "Top:gg2ttbar = on", "qq": "Top:qqbar2ttbar = on"}


class FinalState(NamedTuple):
    """The kind of ntuple that is made: its tree, and the module whose `observe` makes it."""

    tree: str
    module: str


DILEPTON = FinalState("reco", "rootflow.simulation.dilepton")
FOUR_LEPTONS = FinalState("mini", "rootflow.simulation.four_leptons")


# Layouts are named after the branch map that reads them; those of NanoAOD begin so.
NANOAOD, NANOAOD_TREE = "nanoaod_", "Events"


class SimulatedProcess(NamedTuple):
    """One process.

    Its `number` stands in event numbers: 0 to 7, for ever. `settings` takes the generator's block,
    and returns Pythia's settings of the process and its decays. `decays` finds the two leptons in a
    record; None: all electrons and muons are looked for. `channel_number` is the data set number of
    the same process in ATLAS Open Data.
    """

    number: int
    final_state: FinalState
    settings: Callable[[Any], list[str]]
    decays: Callable[[GeneratorRecord], Decays] | None
    channel_number: int = 0

    @property
    def own_code(self) -> set[str]:
        """The functions that are of this process, by full name."""
        functions = (self.settings, self.decays)
        return {f"{each.__module__}.{each.__qualname__}" for each in functions if each}


def _top_pairs(config: GeneratorConfig) -> list[str]:
    return [
        *(TOP_PAIRS[state] for state in config.initial_states),
        f"6:m0 = {config.top_mass_gev}",
        *_w_decays(config),
    ]


def _w_pairs(config: DileptonGeneratorConfig) -> list[str]:
    return ["WeakDoubleBoson:ffbar2WW = on", *_w_decays(config)]


def _w_decays(config: GeneratorConfig) -> list[str]:
    return [
        f"24:m0 = {config.w_mass_gev}",
        "24:onMode = off",
        f"24:onIfAny = {_leptons(config.taus)}",
    ]


def _drell_yan(config: DileptonGeneratorConfig) -> list[str]:
    """Return settings of the whole of Z/gamma*, whose jets are those of the shower.

    Its first emission is corrected to the matrix element. A hard process with a parton and a
    least pT would be quicker, but is not all of what has two jets, and has no published number.
    """
    return [
        "WeakSingleBoson:ffbar2gmZ = on",
        f"PhaseSpace:mHatMin = {config.z_mass_min_gev}",
        *_z_decays(config.taus),
    ]


def _gluon_fusion(config: FourLeptonGeneratorConfig) -> list[str]:
    return ["HiggsSM:gg2H = on", *_higgs_decays(config)]


def _vector_boson_fusion(config: FourLeptonGeneratorConfig) -> list[str]:
    return ["HiggsSM:ff2Hff(t:ZZ) = on", "HiggsSM:ff2Hff(t:WW) = on", *_higgs_decays(config)]


def _z_pairs(config: FourLeptonGeneratorConfig) -> list[str]:
    return [
        "WeakDoubleBoson:ffbar2gmZgmZ = on",
        f"23:mMin = {config.zz_z_mass_min_gev}",
        *_z_decays(config.taus),
    ]


def _higgs_decays(config: FourLeptonGeneratorConfig) -> list[str]:
    return [
        f"25:m0 = {config.higgs_mass_gev}",
        "25:onMode = off",
        "25:onIfMatch = 23 23",
        f"23:mMin = {config.higgs_z_mass_min_gev}",
        *_z_decays(config.taus),
    ]


def _z_decays(taus: bool) -> list[str]:
    return ["23:onMode = off", f"23:onIfAny = {_leptons(taus)}"]


def _leptons(taus: bool) -> str:
    return "11 13 15" if taus else "11 13"


PROCESSES = {
    "ttbar": SimulatedProcess(0, DILEPTON, _top_pairs, find_top_decays),
    "z_jets": SimulatedProcess(4, DILEPTON, _drell_yan, find_z_decays),
    "ww": SimulatedProcess(5, DILEPTON, _w_pairs, find_w_decays),
    "ggH": SimulatedProcess(1, FOUR_LEPTONS, _gluon_fusion, None, 345060),
    "VBFH": SimulatedProcess(2, FOUR_LEPTONS, _vector_boson_fusion, None, 344235),
    "ZZ": SimulatedProcess(3, FOUR_LEPTONS, _z_pairs, None, 363490),
}


def layout_of(config: ProcessConfig) -> str:
    """Return the layout of the ntuples that is asked for, empty where there is no choice."""
    return config.layout if isinstance(config, SimulationConfig) else ""


def tree_of(config: ProcessConfig) -> str:
    """Return the tree of the ntuples: that of the experiments' own."""
    if layout_of(config).startswith(NANOAOD):
        return NANOAOD_TREE
    return PROCESSES[config.process].final_state.tree


def observe(
    batch: ak.Array, config: ProcessConfig, rng: np.random.Generator
) -> tuple[ak.Array, NDArray[np.bool_]]:
    """Return the branches of the selected events, and which of the n events these are."""
    module = import_module(PROCESSES[config.process].final_state.module)
    observed: tuple[ak.Array, NDArray[np.bool_]] = module.observe(batch, config, rng)
    return observed
