"""Figures of classifiers, drawn from plain results alone."""

from rootflow.evaluation.classification.figures.draw import draw

__all__ = ["draw"]
