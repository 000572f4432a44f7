"""Methods compared on the same events: metrics with errors, figures and a report."""

from rootflow.evaluation.evaluate import Assessment, assess, check_names, evaluate
from rootflow.evaluation.figures import draw, draw_histories, draw_history
from rootflow.evaluation.folder import draw_evaluation, write_evaluation
from rootflow.evaluation.report import write_report
from rootflow.evaluation.results import Evaluation, read, save

__all__ = [
    "Assessment",
    "Evaluation",
    "assess",
    "check_names",
    "draw",
    "draw_evaluation",
    "draw_histories",
    "draw_history",
    "evaluate",
    "read",
    "save",
    "write_evaluation",
    "write_report",
]
