"""Keras networks, written with keras.ops only."""
