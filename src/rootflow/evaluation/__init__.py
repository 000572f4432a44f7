"""Methods compared on the same events: metrics with errors, figures and a report."""

from rootflow.evaluation.evaluate import evaluate
from rootflow.evaluation.results import Evaluation, read, save

__all__ = ["Evaluation", "evaluate", "read", "save"]
