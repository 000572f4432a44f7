"""Pythia, set up as the configuration says."""

import awkward as ak
import pythia8mc

from rootflow.config.simulation import ProcessConfig
from rootflow.errors import RootflowError, UsageError
from rootflow.simulation.processes import PROCESSES

GEV_PER_TEV = 1000.0
PB_PER_MB = 1e9


class Generator:
    """Pythia with one process; that it does not take a setting is a UsageError."""

    def __init__(self, config: ProcessConfig, pythia_seed: int) -> None:
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

        Those that Pythia gives up are left out; it is a RootflowError where these are all.
        """
        batch = self._pythia.nextBatch(count)
        if len(batch) == 0:
            raise RootflowError(f"Pythia could not generate one of {count} events")
        return batch

    @property
    def cross_section_pb(self) -> float:
        """The cross section of what was generated so far.

        It is that of the decays that are switched on: Pythia multiplies by their branching
        ratio ("Resonance Decays" in its manual).
        """
        return float(self._pythia.infoPython().sigmaGen() * PB_PER_MB)


def _settings(config: ProcessConfig, pythia_seed: int) -> list[str]:
    pythia = config.generator
    return [
        "Print:quiet = on",
        "Random:setSeed = on",
        f"Random:seed = {pythia_seed}",
        f"Beams:eCM = {pythia.energy_tev * GEV_PER_TEV}",
        *PROCESSES[config.process].settings(pythia),
        f"PartonLevel:MPI = {'on' if pythia.multiparton_interactions else 'off'}",
        *pythia.settings,
    ]
