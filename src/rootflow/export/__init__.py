"""Keras to ONNX, with proof of parity."""

from rootflow.export.export import Export, export

__all__ = ["Export", "export"]
