"""Models compared on the same events: metrics with errors, figures and a report."""

from rootflow.evaluation.compare import draw_comparison
from rootflow.evaluation.figures.history import draw_histories
from rootflow.evaluation.folder import draw_evaluation

__all__ = ["draw_comparison", "draw_evaluation", "draw_histories"]
