"""Exported ONNX files: what they say of themselves, and how they are opened and applied."""

from rootflow.exported.folded import FoldedModel

__all__ = ["FoldedModel"]
