"""Neutrinos as numbers: their momenta, regressed."""

from typing import Any

import keras
from keras import layers, ops

from rootflow.models.kinematics import Tensor
from rootflow.models.layers import ConfiguredLayer
from rootflow.models.neutrinos.seen import Seen
from rootflow.models.views import to_detector


@keras.saving.register_keras_serializable(package="rootflow")
class DirectNeutrinos(ConfiguredLayer):
    """Momenta along the axes of each neutrino's own view, linear in the trunk's features.

    They are in units of the scales, as of `Normalisation`.
    """

    made_from = ("scales",)

    def __init__(self, scales: tuple[float, float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scales = tuple(scales)
        self.momenta = layers.Dense(3, name="momenta")

    def build(self, seen_shape: Any) -> None:
        """Make the weights."""
        self.momenta.build(seen_shape["features"])

    def call(self, seen: Seen) -> Tensor:
        """Return px, py, pz (n, 2, 3) in GeV along the detector's axes."""
        transverse, longitudinal = self.scales
        scales = ops.convert_to_tensor([transverse, transverse, longitudinal], "float32")
        return to_detector(self.momenta(seen["features"]) * scales, seen["axes"])
