"""Keras networks and boosted trees to ONNX, with proof of parity; how long they take."""

from rootflow.export.classifier import ClassifierExport, export_classifier
from rootflow.export.entries import fold_name
from rootflow.export.export import export, prepare
from rootflow.export.latency import latency_ms
from rootflow.export.ranges import Ranges, parts_of, ranges_of
from rootflow.export.targets import ENDINGS
from rootflow.export.writing import FULL, Export, Prepared, in_precision, write

__all__ = [
    "ENDINGS",
    "FULL",
    "ClassifierExport",
    "Export",
    "Prepared",
    "Ranges",
    "export",
    "export_classifier",
    "fold_name",
    "in_precision",
    "latency_ms",
    "parts_of",
    "prepare",
    "ranges_of",
    "write",
]
