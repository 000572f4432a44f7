"""Figures of both evaluations, drawn from plain results alone."""

from rootflow.evaluation.figures.comparison import draw_comparison
from rootflow.evaluation.figures.history import draw_histories
from rootflow.evaluation.figures.style import draw_figures

__all__ = ["draw_comparison", "draw_figures", "draw_histories"]
