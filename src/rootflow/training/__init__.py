"""Fitting a network: batches, schedule, checkpoints."""

from rootflow.training.fit import Training, fit

__all__ = ["Training", "fit"]
