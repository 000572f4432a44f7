"""Applying exported models to ROOT files."""

from rootflow.inference.application import Application, SeenEvents, Setting, load_application
from rootflow.inference.files import Applied, apply_to_files
from rootflow.inference.plan import Copying

__all__ = [
    "Application",
    "Applied",
    "Copying",
    "SeenEvents",
    "Setting",
    "apply_to_files",
    "load_application",
]
