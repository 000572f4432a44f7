"""Keras networks and boosted trees to ONNX, with proof of parity."""

from rootflow.export.classifier import ClassifierExport, export_classifier
from rootflow.export.export import Export, export

__all__ = ["ClassifierExport", "Export", "export", "export_classifier"]
