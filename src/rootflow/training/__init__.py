"""Fitting a network: batches, schedule, checkpoints."""

from rootflow.training.fitting import Training, fit

__all__ = ["Training", "fit"]
