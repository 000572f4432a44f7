"""From a configuration and a seed to ntuples: Pythia, FastJet and a parametrised detector."""

from rootflow.simulation.sample import simulate

__all__ = ["simulate"]
