"""From ROOT ntuples to a tracked, tuned, exported neural network."""

__version__ = "0.1.0"
