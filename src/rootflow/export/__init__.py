"""Keras networks and boosted trees to ONNX, with proof of parity; how long they take."""
