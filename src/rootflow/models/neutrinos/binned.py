"""Neutrinos as distributions over bins of each component."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from rootflow.models.kinematics import Tensor
from rootflow.models.layers import ConfiguredLayer
from rootflow.models.neutrinos.seen import Seen
from rootflow.models.views import to_detector

# Of the outermost centres, in units of the components' root mean squares.
FARTHEST = 6.0


@keras.saving.register_keras_serializable(package="rootflow")
class BinnedNeutrinos(ConfiguredLayer):
    """A probability for each bin of px, py and pz along the axes of each neutrino's own view.

    The bins are even in asinh(p / scale), so narrow where most neutrinos are; `centres`
    gives them in GeV. The answer is the mean of the centres, each with its probability. The
    scales are as of `Normalisation`.
    """

    made_from = ("scales", "bins")

    def __init__(self, scales: tuple[float, float], bins: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scales = tuple(scales)
        self.bins = bins
        self.logits = layers.Dense(3 * bins, name="logits")

    def build(self, seen_shape: Any) -> None:
        """Make the weights."""
        self.logits.build(seen_shape["features"])

    @property
    def centres(self) -> NDArray[np.float64]:
        """(3, bins), of px, py and pz along the axes of a view, in GeV."""
        transverse, longitudinal = self.scales
        even = np.sinh(np.linspace(-1.0, 1.0, self.bins) * np.arcsinh(FARTHEST))
        return np.outer([transverse, transverse, longitudinal], even)

    def call(self, seen: Seen) -> Tensor:
        """Return px, py, pz (n, 2, 3) in GeV along the detector's axes."""
        centres = ops.convert_to_tensor(self.centres, "float32")
        mean = ops.sum(ops.softmax(self._logits(seen), axis=-1) * centres, axis=-1)
        return to_detector(mean, seen["axes"])

    def loss(self, seen: Seen, truth: Tensor) -> Tensor:
        """Return the cross-entropy (n,) of the bins, mean of the six components.

        A true momentum (n, 2, 3) is shared by the two centres next to it so that their mean is
        it; one beyond the outermost centres belongs to the last bin.
        """
        in_view = ops.einsum("nvab,nvb->nva", seen["axes"], truth)
        logits = self._logits(seen)
        log_probability = logits - ops.logsumexp(logits, axis=-1, keepdims=True)
        entropy = -ops.sum(self.labels(in_view) * log_probability, axis=-1)
        return ops.mean(entropy, axis=(1, 2))

    def labels(self, in_view: Tensor) -> Tensor:
        """Return the share (..., 3, bins) of each bin in momenta (..., 3) along a view's axes."""
        centres = self.centres
        gaps = ops.convert_to_tensor(np.diff(centres), "float32")
        below = ops.convert_to_tensor(centres[:, :-1], "float32")
        # How much of each gap between two centres lies below the momentum.
        passed = ops.clip((in_view[..., None] - below) / gaps, 0.0, 1.0)
        one, zero = ops.ones_like(passed[..., :1]), ops.zeros_like(passed[..., :1])
        return ops.concatenate([one, passed], -1) - ops.concatenate([passed, zero], -1)

    def _logits(self, seen: Seen) -> Tensor:
        return ops.reshape(self.logits(seen["features"]), (-1, 2, 3, self.bins))
