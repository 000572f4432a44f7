"""Keras networks and boosted trees to ONNX, with proof of parity; how long they take."""

from rootflow.export.about import FULL, About, fold_name, in_precision
from rootflow.export.preparation import prepare, prepare_all_folds, refuse_precisions
from rootflow.export.samples import Ranges, parts_of, ranges_of
from rootflow.export.writing import Export, Prepared, write
from rootflow.exported.session import latency_ms

__all__ = [
    "FULL",
    "About",
    "Export",
    "Prepared",
    "Ranges",
    "fold_name",
    "in_precision",
    "latency_ms",
    "parts_of",
    "prepare",
    "prepare_all_folds",
    "ranges_of",
    "refuse_precisions",
    "write",
]
