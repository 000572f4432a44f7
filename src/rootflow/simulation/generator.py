"""Pythia, set up as the configuration says."""

import awkward as ak
import pythia8mc

from rootflow.config.simulation import GeneratorConfig
from rootflow.errors import RootflowError, UsageError

GEV_PER_TEV = 1000.0
HARD_PROCESS = {"gg": "Top:gg2ttbar = on", "qq": "Top:qqbar2ttbar = on"}


class Generator:
    """Top-antitop events with all W decaying to leptons.

    Parameters
    ----------
    config
        Energy, masses, and what is switched on.
    pythia_seed
        1 to 900,000,000, the range of Pythia's `Random:seed`.

    Raises
    ------
    UsageError
        Pythia does not know a setting, or cannot start with them.
    """

    def __init__(self, config: GeneratorConfig, pythia_seed: int) -> None:
        self._pythia = pythia8mc.Pythia("", False)
        for setting in _settings(config, pythia_seed):
            if not self._pythia.readString(setting, False):
                raise UsageError(
                    f"simulation.generator: Pythia does not take the setting '{setting}'"
                )
        if not self._pythia.init():
            raise UsageError("simulation.generator: Pythia cannot start with these settings")

    def events(self, count: int) -> ak.Array:
        """Return `count` events: their particles `prt`, and `info` on the hard process.

        Those that Pythia gives up are left out.

        Raises
        ------
        RootflowError
            Pythia gave up all of them.
        """
        batch = self._pythia.nextBatch(count)
        if len(batch) == 0:
            raise RootflowError(f"Pythia could not generate one of {count} events")
        return batch


def _settings(config: GeneratorConfig, pythia_seed: int) -> list[str]:
    w_decays = "11 13 15" if config.taus else "11 13"
    return [
        "Print:quiet = on",
        "Random:setSeed = on",
        f"Random:seed = {pythia_seed}",
        f"Beams:eCM = {config.energy_tev * GEV_PER_TEV}",
        *(HARD_PROCESS[state] for state in config.initial_states),
        f"6:m0 = {config.top_mass_gev}",
        f"24:m0 = {config.w_mass_gev}",
        "24:onMode = off",
        f"24:onIfAny = {w_decays}",
        f"PartonLevel:MPI = {'on' if config.multiparton_interactions else 'off'}",
        *config.settings,
    ]
