"""What a head for the neutrinos is given of an event."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from rootflow.models.kinematics import KINEMATICS, Tensor, momentum
from rootflow.models.layers import ConfiguredLayer

# `features` (n, 2, width), what the trunk says of each view, first that of the positive
# lepton; `axes` (n, 2, 3, 3), the unit vectors of each view; and what `Momenta` gives.
Seen = Mapping[str, Tensor]
SEEN = ("features", "axes", "jets", "leptons", "met")


@keras.saving.register_keras_serializable(package="rootflow")
class Momenta(ConfiguredLayer):
    """Four-momenta of an event along the detector's axes, in GeV.

    `jets` (n, J, 4), zero where there is none, `leptons` (n, 2, 4), the positive first, both
    px, py, pz, energy; `met` (n, 2), px and py, zero where it is not taken.
    """

    made_from = ("features",)

    def __init__(self, features: Mapping[str, Sequence[str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.features = {name: list(names) for name, names in features.items()}

    def call(
        self, jets: Tensor, jet_mask: Tensor, leptons: Tensor, met: Tensor = None
    ) -> dict[str, Tensor]:
        """Return the momenta of a batch of raw inputs."""
        jets = ops.where(ops.expand_dims(jet_mask, -1), jets, 0.0)
        missing = ops.zeros_like(leptons[:, 0, :2])
        if met is not None:
            pt, phi = (met[:, self.features["met"].index(name)] for name in ("pt", "phi"))
            missing = ops.stack([pt * ops.cos(phi), pt * ops.sin(phi)], axis=-1)
        return {
            "jets": self._momenta("jets", jets),
            "leptons": self._momenta("leptons", leptons),
            "met": missing,
        }

    def _momenta(self, collection: str, array: Tensor) -> Tensor:
        places = [self.features[collection].index(name) for name in KINEMATICS]
        pt, eta, phi, energy = (array[..., place : place + 1] for place in places)
        return momentum(pt, eta, phi, energy, axis=-1)
