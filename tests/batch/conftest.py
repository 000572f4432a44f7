"""Executors of every kind, on the real pool."""

from batch_jobs import executor, function, kind, shell

__all__ = ["executor", "function", "kind", "shell"]
