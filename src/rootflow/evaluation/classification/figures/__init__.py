"""Figures of classifiers, drawn from plain results alone."""
