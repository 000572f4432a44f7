"""Fitting a network: batches, schedule, checkpoints."""

from rootflow.training.fitting import Training, fit, question
from rootflow.training.record import RECORD, Record, read_record

__all__ = ["RECORD", "Record", "Training", "fit", "question", "read_record"]
