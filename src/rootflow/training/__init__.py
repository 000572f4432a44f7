"""Fitting a model: batches, schedule, checkpoints."""

from rootflow.training.fitting import Training, fit, question
from rootflow.training.record import BEST, RECORD, Fact, Record, load_fitted, read_record

__all__ = [
    "BEST",
    "RECORD",
    "Fact",
    "Record",
    "Training",
    "fit",
    "load_fitted",
    "question",
    "read_record",
]
