"""Dileptonic ttbar: jets of the two b quarks, momenta of the two neutrinos."""

from collections.abc import Mapping
from typing import Literal

from rootflow.analyses.tasks import ReconstructionAnalysis
from rootflow.config import ReconstructionConfig
from rootflow.config.simulation import SimulationConfig


class TtbarConfig(ReconstructionConfig):
    """Everything that decides what rootflow does with dileptonic ttbar events."""

    analysis: Literal["ttbar"]
    simulation: SimulationConfig = SimulationConfig()


class Ttbar(ReconstructionAnalysis):
    """Reconstruct pairs of top quarks that both decay to a lepton."""

    name = "ttbar"
    config = TtbarConfig

    def processes(self, config: TtbarConfig) -> Mapping[str, SimulationConfig]:
        """Return the one process."""
        return {self.name: config.simulation}
