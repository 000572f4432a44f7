"""ttbar with two leptons against Z + jets and WW, on the ntuples of the ttbar analysis.

What is kept of an event, its features and its cuts are expressions in configs/dilepton.yaml.
"""

from typing import Literal

from rootflow.analyses.tasks import ClassificationAnalysis
from rootflow.config import ClassificationConfig, CollectionsDataConfig
from rootflow.config.simulation import DileptonSimulationConfig


class DileptonConfig(ClassificationConfig):
    """Everything that decides what rootflow does with ttbar and its backgrounds."""

    analysis: Literal["dilepton"]
    simulation: DileptonSimulationConfig = DileptonSimulationConfig()
    data: CollectionsDataConfig


class DileptonAnalysis(ClassificationAnalysis):
    """Tell pairs of top quarks from what else gives two leptons and jets."""

    name = "dilepton"
    config = DileptonConfig
