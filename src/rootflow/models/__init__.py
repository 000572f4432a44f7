"""Keras networks, written with keras.ops only."""

# Whatever is used of them, Keras knows all their layers, and the number of threads is set.
from rootflow.models import architectures, classifiers, determinism  # noqa: F401
