"""Figures of reconstructions, drawn from plain results alone."""

from rootflow.evaluation.reconstruction.figures.draw import draw

__all__ = ["draw"]
