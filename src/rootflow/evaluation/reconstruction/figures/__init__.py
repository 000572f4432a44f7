"""Figures of reconstructions, drawn from plain results alone."""
