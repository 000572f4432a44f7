"""Figures of both evaluations, drawn from plain results alone."""

from rootflow.evaluation.figures.comparison import draw_comparison
from rootflow.evaluation.figures.history import draw_histories, draw_history

__all__ = ["draw_comparison", "draw_histories", "draw_history"]
