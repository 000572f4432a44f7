"""Neutrinos as a density of all six components together."""

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray
from scipy.stats import qmc

from rootflow.models.kinematics import Tensor
from rootflow.models.neutrinos import tails
from rootflow.models.neutrinos.coordinates import (
    Frame,
    frame_of,
    leading,
    to_coordinates,
    to_momenta,
    trailing,
)
from rootflow.models.neutrinos.density import ConditionalFlow
from rootflow.models.neutrinos.seen import Seen

COMPONENTS = 6


@keras.saving.register_keras_serializable(package="rootflow")
class FlowNeutrinos(keras.Layer):  # type: ignore[misc]
    """A conditional normalising flow over the momenta of both neutrinos.

    It describes the event in the view of the lepton with the larger pT, whatever its
    charge: so its density turns and reflects with the event, and exchanging the charges
    exchanges neutrino and antineutrino, exactly. It gives `samples` of each event, whose noise is
    drawn once and kept. The scales are as of `Normalisation`.
    """

    def __init__(
        self,
        scales: tuple[float, float],
        couplings: int,
        width: int,
        bins: int,
        dropout: float,
        samples: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.scales = (scales[0], scales[1])
        self.settings = {"couplings": couplings, "width": width, "bins": bins, "dropout": dropout}
        self.samples = samples
        self.context = layers.Dense(2 * width, activation="silu", name="context")
        self.dropout = layers.Dropout(dropout, name="dropout")
        self.flow = ConditionalFlow(COMPONENTS, couplings, width, bins, dropout, name="flow")

    def get_config(self) -> dict[str, Any]:
        """Return what the layer is made from."""
        own = {"scales": self.scales, "samples": self.samples, **self.settings}
        return {**super().get_config(), **own}

    def build(self, seen_shape: Any) -> None:
        """Make the weights."""
        self.context.build((None, 2 * seen_shape["features"][-1]))
        self.flow.build((None, self.context.units))
        points = _normal_points(self.samples)
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
        frame = frame_of(seen, self.scales)
        coordinates, change = to_coordinates(momenta, frame)
        return self.flow.log_density(coordinates, self._context(seen, frame)) + change

    def loss(self, seen: Seen, truth: Tensor) -> Tensor:
        """Return minus the log of the true momenta's density in the flow's coordinates, (n,).

        Divided by six: the mean over components, as of other losses of neutrinos. It
        differs from the density per GeV by what does not depend on the network.
        """
        frame = frame_of(seen, self.scales)
        coordinates, _ = to_coordinates(ops.expand_dims(truth, 1), frame)
        density = self.flow.log_density_to_learn(coordinates, self._context(seen, frame))
        return -density[:, 0] / COMPONENTS

    def heavier(self, noise: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return noise (..., 6) of the flow's latent distribution of normal noise."""
        return tails.heavier(noise, float(self.flow.degrees))

    def set_tails(self, temperature: float, degrees: float) -> None:
        """Set the latent distribution, also that of the noise that is kept."""
        self.flow.set_tails(temperature, degrees)
        self.noise.assign(tails.heavier(_normal_points(self.samples), degrees))

    def squared_latent(self, seen: Seen, truth: Tensor) -> Tensor:
        """Return the squared lengths (n,) of the true momenta's latent vectors."""
        frame = frame_of(seen, self.scales)
        coordinates, _ = to_coordinates(ops.expand_dims(truth, 1), frame)
        latent, _ = self.flow.to_latent(coordinates, self._context(seen, frame))
        return ops.sum(ops.square(latent[:, 0]), axis=-1)

    def _context(self, seen: Seen, frame: Frame) -> Tensor:
        features = seen["features"]
        both = [leading(frame.leads, features), trailing(frame.leads, features)]
        return self.dropout(self.context(ops.concatenate(both, axis=-1)))


def _normal_points(count: int) -> NDArray[np.float32]:
    """Return (count, 6): Sobol points, which fill six dimensions more evenly than random ones."""
    noise = qmc.MultivariateNormalQMC(np.zeros(COMPONENTS), rng=np.random.default_rng(1))
    points: NDArray[np.float32] = noise.random(count).astype(np.float32)
    return points


class Draw(layers.Layer):  # type: ignore[misc]
    """Samples of a flow's density, with the density where they are; it is never saved."""

    def __init__(self, head: FlowNeutrinos, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.head = head

    def call(self, seen: Seen, noise: Tensor) -> dict[str, Tensor]:
        """Return `neutrinos` (n, samples, 2, 3) and `log_density` (n, samples) of noise."""
        neutrinos = self.head.sample(seen, noise)
        return {"neutrinos": neutrinos, "log_density": self.head.log_density(seen, neutrinos)}


class Measure(layers.Layer):  # type: ignore[misc]
    """The log of a flow's density at given momenta; it is never saved."""

    def __init__(self, head: FlowNeutrinos, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.head = head

    def call(self, seen: Seen, momenta: Tensor) -> Tensor:
        """Return (n,) of momenta (n, 2, 3) in GeV, per GeV to the sixth."""
        return self.head.log_density(seen, ops.expand_dims(momenta, 1))[:, 0]
