"""Layers that give the neutrinos: as numbers, as bins, and as a density of all six components.

Their scales, in GeV, are those of `Normalisation`.
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray
from scipy.stats import qmc

from rootflow.models.kinematics import Tensor
from rootflow.models.layers import LayerOfLayers
from rootflow.models.neutrinos import tails
from rootflow.models.neutrinos.coordinates import (
    Frame,
    Seen,
    frame_of,
    leading,
    to_coordinates,
    to_momenta,
    trailing,
)
from rootflow.models.neutrinos.density import ConditionalFlow
from rootflow.models.normalisation import Scales
from rootflow.models.views import to_detector

# Of the outermost centres, in units of the components' root mean squares.
FARTHEST = 6.0
COMPONENTS = 6


@keras.saving.register_keras_serializable(package="rootflow")
class DirectNeutrinos(LayerOfLayers):
    """Momenta along the axes of each neutrino's own view, linear in the trunk's features."""

    def __init__(self, scales: Scales, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scales = scales
        self.momenta = layers.Dense(3, name="momenta")

    def call(self, seen: Seen) -> Tensor:
        """Return px, py, pz (n, 2, 3) in GeV along the detector's axes."""
        scales = ops.convert_to_tensor(self.scales, "float32")
        return to_detector(self.momenta(seen["features"]) * scales, seen["axes"])


@keras.saving.register_keras_serializable(package="rootflow")
class BinnedNeutrinos(LayerOfLayers):
    """A probability for each bin of px, py and pz along the axes of each neutrino's own view.

    The bins are even in asinh(p / scale), so narrow where most neutrinos are. The answer is the
    mean of their centres.
    """

    def __init__(self, scales: Scales, bins: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scales = scales
        self.bins = bins
        self.logits = layers.Dense(3 * bins, name="logits")

    @property
    def centres(self) -> NDArray[np.float64]:
        """(3, bins), of px, py and pz along the axes of a view, in GeV."""
        even = np.sinh(np.linspace(-1.0, 1.0, self.bins) * np.arcsinh(FARTHEST))
        return np.outer(self.scales, even)

    def call(self, seen: Seen) -> Tensor:
        """Return px, py, pz (n, 2, 3) in GeV along the detector's axes."""
        centres = ops.convert_to_tensor(self.centres, "float32")
        mean = ops.sum(ops.softmax(self._logits(seen), axis=-1) * centres, axis=-1)
        return to_detector(mean, seen["axes"])

    def loss(self, seen: Seen, truth: Tensor) -> Tensor:
        """Return the cross-entropy (n,) of the bins, mean of the six components."""
        in_view = ops.einsum("nvab,nvb->nva", seen["axes"], truth)
        logits = self._logits(seen)
        log_probability = logits - ops.logsumexp(logits, axis=-1, keepdims=True)
        entropy = -ops.sum(self.labels(in_view) * log_probability, axis=-1)
        return ops.mean(entropy, axis=(1, 2))

    def labels(self, in_view: Tensor) -> Tensor:
        """Return the share (..., 3, bins) of each bin in momenta (..., 3) along a view's axes.

        The two centres next to a momentum share it so that their mean is it; one beyond the
        outermost centres belongs to the last bin.
        """
        centres = self.centres
        gaps = ops.convert_to_tensor(np.diff(centres), "float32")
        below = ops.convert_to_tensor(centres[:, :-1], "float32")
        # How much of each gap between two centres lies below the momentum.
        passed = ops.clip((in_view[..., None] - below) / gaps, 0.0, 1.0)
        one, zero = ops.ones_like(passed[..., :1]), ops.zeros_like(passed[..., :1])
        return ops.concatenate([one, passed], -1) - ops.concatenate([passed, zero], -1)

    def _logits(self, seen: Seen) -> Tensor:
        return ops.reshape(self.logits(seen["features"]), (-1, 2, 3, self.bins))


@keras.saving.register_keras_serializable(package="rootflow")
class FlowNeutrinos(LayerOfLayers):
    """A conditional normalising flow over the momenta of both neutrinos, giving so many samples.

    It describes the event in the view of the lepton with the larger pT, whatever its charge: its
    density turns and reflects with the event, and exchanges the neutrinos with the charges.
    """

    def __init__(
        self,
        scales: Scales,
        couplings: int,
        width: int,
        bins: int,
        dropout: float,
        samples: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.scales = scales
        self.samples = samples
        self.context = layers.Dense(2 * width, activation="silu", name="context")
        self.dropout = layers.Dropout(dropout, name="dropout")
        self.flow = ConditionalFlow(COMPONENTS, couplings, width, bins, dropout, name="flow")
        points = _normal_points(samples)
        self.noise = self.add_weight(
            name="noise",
            shape=points.shape,
            initializer=lambda *_, **__: ops.convert_to_tensor(points),
            trainable=False,
        )

    def call(self, seen: Seen) -> Tensor:
        """Return samples (n, samples, 2, 3) in GeV, of the same noise for every event."""
        like = ops.zeros_like(seen["met"][:, :1, None])
        return self.sample(seen, ops.expand_dims(self.noise, 0) + like)

    def sample(self, seen: Seen, noise: Tensor) -> Tensor:
        """Return momenta (n, samples, 2, 3) in GeV of noise (n, samples, 6), see `heavier`."""
        frame = frame_of(seen, self.scales)
        coordinates = self.flow.sample(noise, self._context(seen, frame))
        return to_momenta(coordinates, frame)

    def log_density(self, seen: Seen, momenta: Tensor) -> Tensor:
        """Return the log of the density (n, samples) at momenta (n, samples, 2, 3), per GeV^6."""
        coordinates, change, context = self._described(seen, momenta)
        return self.flow.log_density(coordinates, context) + change

    def loss(self, seen: Seen, truth: Tensor) -> Tensor:
        """Return minus the log of the true momenta's density in the flow's coordinates, (n,).

        It is the mean over components, as of other losses of neutrinos.
        """
        coordinates, _, context = self._described(seen, ops.expand_dims(truth, 1))
        return -self.flow.log_density_to_learn(coordinates, context)[:, 0] / COMPONENTS

    def heavier(self, noise: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return noise (..., 6) of the flow's latent distribution of normal noise."""
        return tails.heavier(noise, float(self.flow.degrees))

    def set_tails(self, temperature: float, degrees: float) -> None:
        """Set the latent distribution, also that of the noise that is kept."""
        self.flow.set_tails(temperature, degrees)
        self.noise.assign(tails.heavier(_normal_points(self.samples), degrees))

    def squared_latent(self, seen: Seen, truth: Tensor) -> Tensor:
        """Return the squared lengths (n,) of the true momenta's latent vectors."""
        coordinates, _, context = self._described(seen, ops.expand_dims(truth, 1))
        latent, _ = self.flow.to_latent(coordinates, context)
        return ops.sum(ops.square(latent[:, 0]), axis=-1)

    def _described(self, seen: Seen, momenta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return coordinates, the log of their density in the momenta's, and the flow's context."""
        frame = frame_of(seen, self.scales)
        return *to_coordinates(momenta, frame), self._context(seen, frame)

    def _context(self, seen: Seen, frame: Frame) -> Tensor:
        features = seen["features"]
        both = [leading(frame.leads, features), trailing(frame.leads, features)]
        return self.dropout(self.context(ops.concatenate(both, axis=-1)))


def _normal_points(count: int) -> NDArray[np.float32]:
    """Return (count, 6): Sobol points, which fill six dimensions more evenly than random ones."""
    noise = qmc.MultivariateNormalQMC(np.zeros(COMPONENTS), rng=np.random.default_rng(1))
    points: NDArray[np.float32] = noise.random(count).astype(np.float32)
    return points
