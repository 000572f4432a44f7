"""H -> ZZ* -> 4 leptons against its backgrounds, as in ATLAS Open Data."""

from collections.abc import Mapping
from typing import Literal

from rootflow.analyses.tasks import ClassificationAnalysis
from rootflow.config import (
    ClassificationConfig,
    FourLeptonProcessConfig,
    FourLeptonSimulationConfig,
)


class H4lConfig(ClassificationConfig):
    """Everything that decides what rootflow does with four-lepton events."""

    analysis: Literal["h4l"]
    simulation: FourLeptonSimulationConfig = FourLeptonSimulationConfig()


class H4l(ClassificationAnalysis):
    """Tell Higgs bosons that decay to four leptons from everything else that does."""

    name = "h4l"
    config = H4lConfig

    def processes(self, config: H4lConfig) -> Mapping[str, FourLeptonProcessConfig]:
        """Return the simulated processes."""
        return {name: config.simulation.of(name) for name in config.simulation.events}
