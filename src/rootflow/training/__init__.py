"""Fitting a network: batches, schedule, checkpoints."""
