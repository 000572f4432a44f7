"""Figures of both evaluations, drawn from plain results alone."""
