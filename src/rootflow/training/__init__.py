"""Fitting a model: batches, schedule, checkpoints."""
