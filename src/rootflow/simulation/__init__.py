"""From a configuration and a seed to ntuples: Pythia, FastJet and a parametrised detector."""

from rootflow.simulation.plan import FINISHED
from rootflow.simulation.sample import digest, simulate

__all__ = ["FINISHED", "digest", "simulate"]
