"""Models compared on the same events: metrics with errors, figures and a report."""

from rootflow.evaluation.figures import draw_comparison, draw_histories, draw_history
from rootflow.evaluation.folder import draw_evaluation, write_folder

__all__ = ["draw_comparison", "draw_evaluation", "draw_histories", "draw_history", "write_folder"]
