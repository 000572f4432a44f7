"""Keras to ONNX, with proof of parity."""
