"""Figures of both evaluations, drawn from plain results alone."""

from rootflow.evaluation.figures.history import draw_histories, draw_history

__all__ = ["draw_histories", "draw_history"]
