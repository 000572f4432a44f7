"""Metrics with errors, figures, the report."""
