"""Keras networks and boosted trees to ONNX, with proof of parity; how long they take."""

from rootflow.export.classifier import ClassifierExport, export_classifier
from rootflow.export.entries import fold_name
from rootflow.export.export import Export, export
from rootflow.export.latency import latency_ms

__all__ = ["ClassifierExport", "Export", "export", "export_classifier", "fold_name", "latency_ms"]
