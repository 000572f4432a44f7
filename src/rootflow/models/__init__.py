"""Keras networks, written with keras.ops only."""

# Which are read again once their layers are known, and compute alike in every process.
from rootflow.models import architectures, classifiers, determinism  # noqa: F401
