"""One answer for the neutrinos of an event, of samples of their density."""

import keras
from keras import ops

from rootflow.models.kinematics import Tensor, mass

SMALLEST = 1e-6


@keras.saving.register_keras_serializable(package="rootflow")
class MeanOfSamples(keras.Layer):  # type: ignore[misc]
    """The mean of the samples, the answer of the smallest mean square error."""

    def call(self, samples: Tensor) -> Tensor:
        """Return px, py, pz (n, 2, 3) in GeV of samples (n, samples, 2, 3)."""
        return ops.mean(samples, axis=1)


@keras.saving.register_keras_serializable(package="rootflow")
class MedianMassOfSamples(keras.Layer):  # type: ignore[misc]
    """The mean of the samples, scaled so that m(ttbar) is the median of the samples'.

    A mean of momenta is closer to zero than they are, and a mass made of it too small. No single
    sample is chosen, so that rounding cannot choose another.
    """

    def call(self, samples: Tensor, assignment: Tensor, jets: Tensor, leptons: Tensor) -> Tensor:
        """Return px, py, pz (n, 2, 3) in GeV of samples (n, samples, 2, 3).

        `assignment` (n, J, J) is the probability of each pair of jets; jets (n, J, 4) and leptons
        (n, 2, 4) are px, py, pz, energy.
        """
        visible = ops.sum(leptons, axis=1) + _likeliest_pair(assignment, jets)
        every_mass = ops.sort(mass(visible[:, None] + _together(samples)), axis=1)
        last = every_mass.shape[1] - 1
        median = 0.5 * (every_mass[:, last // 2] + every_mass[:, (last + 1) // 2])
        mean = ops.mean(samples, axis=1)
        return mean * _factor(visible, _together(mean), median)[:, None, None]


def _likeliest_pair(assignment: Tensor, jets: Tensor) -> Tensor:
    """Return the four-momentum (n, 4) of the two jets together; equals share."""
    count = jets.shape[1]
    pairs = assignment[:, :count, :count]
    highest = ops.max(pairs, axis=(1, 2), keepdims=True)
    chosen = ops.cast(ops.equal(pairs, highest), pairs.dtype)
    chosen = chosen / ops.sum(chosen, axis=(1, 2), keepdims=True)
    either = ops.sum(chosen, axis=1) + ops.sum(chosen, axis=2)
    return ops.sum(either[..., None] * jets, axis=1)


def _together(neutrinos: Tensor) -> Tensor:
    """Return the four-momentum (..., 4) of both neutrinos (..., 2, 3), which are massless."""
    energy = ops.sqrt(ops.sum(ops.square(neutrinos), axis=-1))
    return ops.concatenate(
        [ops.sum(neutrinos, axis=-2), ops.sum(energy, axis=-1, keepdims=True)], axis=-1
    )


def _factor(visible: Tensor, neutrinos: Tensor, wanted: Tensor) -> Tensor:
    """Return k (n,) for which the mass of visible + k neutrinos is the wanted one.

    The root, not negative, of k^2 m(neutrinos)^2 + 2 k visible.neutrinos = wanted^2 -
    m(visible)^2, of which no term on the left is negative.
    """
    product = visible * neutrinos
    product = ops.maximum(product[:, 3] - ops.sum(product[:, :3], axis=-1), SMALLEST)
    own = ops.square(mass(neutrinos))
    missing = ops.maximum(ops.square(wanted) - ops.square(mass(visible)), 0.0)
    return missing / (product + ops.sqrt(ops.square(product) + own * missing))
