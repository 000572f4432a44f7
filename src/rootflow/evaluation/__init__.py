"""Methods compared on the same events: metrics with errors, figures and a report."""

from rootflow.evaluation.evaluate import evaluate
from rootflow.evaluation.figures import draw, draw_histories, draw_history
from rootflow.evaluation.report import write_report
from rootflow.evaluation.results import Evaluation, read, save

__all__ = [
    "Evaluation",
    "draw",
    "draw_histories",
    "draw_history",
    "evaluate",
    "read",
    "save",
    "write_report",
]
