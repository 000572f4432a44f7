"""Applying exported models to ROOT files."""
