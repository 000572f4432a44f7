"""Figures, drawn from plain results alone."""

from rootflow.evaluation.figures.draw import draw
from rootflow.evaluation.figures.history import draw_histories, draw_history

__all__ = ["draw", "draw_histories", "draw_history"]
