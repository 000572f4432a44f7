"""A conditional normalising flow: a density that is known, and can be drawn from.

It is made of monotonic rational-quadratic splines (C. Durkan, A. Bekasov, I. Murray,
G. Papamakarios, Neural Spline Flows, arXiv:1906.04032).
"""

import itertools
import math
from typing import Any, NamedTuple

import keras
from keras import layers, ops

from rootflow.models.kinematics import Tensor
from rootflow.models.layers import LayerOfLayers
from rootflow.models.neutrinos import tails

# Of the first scaling: a factor of fifty either way.
LARGEST_LOG_SCALE = 4.0
# Within -BOUND and BOUND a spline bends; beyond, it leaves its argument as it is.
BOUND = 5.0
SMALLEST_WIDTH = 1e-3
SMALLEST_SLOPE = 1e-3
# Where the network says zero, every slope is one and the spline leaves all as it is.
SLOPE_OF_ZERO = math.log(math.expm1(1.0 - SMALLEST_SLOPE))


class ConditionalFlow(LayerOfLayers):
    """A density of vectors, given a context, by a map to a Gaussian, or to what `tails` has.

    First each component is shifted and scaled as the context says. Then each of the
    coupling layers (L. Dinh, J. Sohl-Dickstein, S. Bengio, arXiv:1605.08803) bends half of
    the components by splines whose shape is a matter of the other half and of the context, by two
    hidden layers with dropout after the first. `size` are the components, at least 2.
    """

    def __init__(
        self, size: int, couplings: int, width: int, bins: int, dropout: float, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.size = size
        self.affine = layers.Dense(2 * size, kernel_initializer="zeros", name="affine")
        self.steps = [
            Coupling(changed, size, width, bins, dropout, name=f"coupling_{number}")
            for number, changed in enumerate(halves(size, couplings))
        ]
        # Fitted to events that did not train: 1 for a flow that is as sure as it should be.
        self.temperature = self._number("temperature", 1.0)
        # Of freedom: a Gaussian until it is fitted as well.
        self.degrees = self._number("degrees", tails.GAUSSIAN)
        self.log_norm = self._number("log_norm", tails.log_norm(size, tails.GAUSSIAN))

    def set_tails(self, temperature: float, degrees: float) -> None:
        """Set the latent distribution, see `rootflow.models.neutrinos.tails`."""
        self.temperature.assign(temperature)
        self.degrees.assign(degrees)
        self.log_norm.assign(tails.log_norm(self.size, degrees))

    def to_latent(self, vectors: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Return latent vectors (n, samples, size) and the logarithm of the volume's change.

        The context (n, features) is shared by the samples of an event.
        """
        shift, log_scale = self._shift_and_scale(context)
        values = (vectors - shift) * ops.exp(-log_scale)
        change = -ops.sum(log_scale, axis=-1)
        for layer in self.steps:
            values, more = layer.bend(values, context)
            change = change + more
        return values, change

    def from_latent(self, latent: Tensor, context: Tensor) -> Tensor:
        """Return the vectors of latent ones, (n, samples, size) each."""
        values = latent
        for layer in reversed(self.steps):
            values = layer.unbend(values, context)
        shift, log_scale = self._shift_and_scale(context)
        return values * ops.exp(log_scale) + shift

    def log_density(self, vectors: Tensor, context: Tensor) -> Tensor:
        """Return the logarithm of the density (n, samples) of vectors (n, samples, size)."""
        latent, change = self.to_latent(vectors, context)
        squares = ops.sum(ops.square(latent / self.temperature), axis=-1)
        along = 0.5 * (self.degrees + self.size) * ops.log1p(squares / self.degrees)
        along = ops.where(self.degrees < tails.GAUSSIAN, along, 0.5 * squares)
        return change - along + self.log_norm - self.size * ops.log(self.temperature)

    def log_density_to_learn(self, vectors: Tensor, context: Tensor) -> Tensor:
        """Return the same with a Gaussian as latent distribution, as it is while learning."""
        latent, change = self.to_latent(vectors, context)
        squares = ops.sum(ops.square(latent), axis=-1)
        return change - 0.5 * squares + tails.log_norm(self.size, tails.GAUSSIAN)

    def sample(self, noise: Tensor, context: Tensor) -> Tensor:
        """Return vectors (n, samples, size) of noise of that shape, `tails.heavier` of normal."""
        return self.from_latent(noise * self.temperature, context)

    def _number(self, name: str, value: float) -> Tensor:
        initial = keras.initializers.Constant(value)
        return self.add_weight(name=name, shape=(), initializer=initial, trainable=False)

    def _shift_and_scale(self, context: Tensor) -> tuple[Tensor, Tensor]:
        said = ops.expand_dims(self.affine(context), 1)
        log_scale = LARGEST_LOG_SCALE * ops.tanh(said[..., self.size :] / LARGEST_LOG_SCALE)
        return said[..., : self.size], log_scale


class Coupling(LayerOfLayers):
    """Splines of some of the components, decided by the others and the context."""

    def __init__(
        self,
        changed: tuple[int, ...],
        size: int,
        width: int,
        bins: int,
        dropout: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.changed = tuple(changed)
        self.kept = tuple(place for place in range(size) if place not in self.changed)
        self.place = [(*self.kept, *self.changed).index(place) for place in range(size)]
        self.from_kept = layers.Dense(width, use_bias=False, name="from_kept")
        self.from_context = layers.Dense(width, name="from_context")
        self.dropout = layers.Dropout(dropout, name="dropout")
        self.hidden = layers.Dense(width, activation="silu", name="hidden")
        self.parameters = layers.Dense(
            len(self.changed) * number_of_parameters(bins),
            kernel_initializer="zeros",
            name="parameters",
        )

    def bend(self, values: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Return values (n, samples, size) bent, and the log of the volume's change."""
        kept, changed = self._part(values)
        bent, log_slopes = spline(changed, self._parameters(kept, context))
        return self._whole(kept, bent), ops.sum(log_slopes, axis=-1)

    def unbend(self, values: Tensor, context: Tensor) -> Tensor:
        """Return the values that `bend` makes these of."""
        kept, changed = self._part(values)
        straight, _ = inverse_spline(changed, self._parameters(kept, context))
        return self._whole(kept, straight)

    def _parameters(self, kept: Tensor, context: Tensor) -> Tensor:
        hidden = self.from_kept(kept) + ops.expand_dims(self.from_context(context), 1)
        hidden = self.hidden(self.dropout(ops.silu(hidden)))
        said = self.parameters(hidden)
        each = said.shape[-1] // len(self.changed)
        return ops.reshape(said, (-1, said.shape[1], len(self.changed), each))

    def _part(self, values: Tensor) -> tuple[Tensor, Tensor]:
        return ops.take(values, self.kept, axis=-1), ops.take(values, self.changed, axis=-1)

    def _whole(self, kept: Tensor, changed: Tensor) -> Tensor:
        return ops.take(ops.concatenate([kept, changed], axis=-1), self.place, axis=-1)


def halves(size: int, count: int) -> list[tuple[int, ...]]:
    """Return so many halves of the components, each followed by the other half.

    The ways to part the components take turns: of six, any two are parted in six layers.
    """
    everything = range(size)
    firsts = [half for half in itertools.combinations(everything, (size + 1) // 2) if 0 in half]
    # Seven steps on in the list is a half that has little in common with the one before.
    chosen = [firsts[7 * turn % len(firsts)] for turn in range(-(-count // 2))]
    others = [tuple(place for place in everything if place not in half) for half in chosen]
    return [half for both in zip(chosen, others, strict=True) for half in both][:count]


class Bin(NamedTuple):
    """Corners, sides and slopes of the bin in which each value is."""

    left: Tensor
    width: Tensor
    bottom: Tensor
    height: Tensor
    slope: Tensor
    next_slope: Tensor


def number_of_parameters(bins: int) -> int:
    """Return how many numbers decide a spline: widths, heights, and slopes between bins."""
    return 3 * bins - 1


def spline(values: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
    """Return the splines of values and the logs of their slopes, by any (..., 3 bins - 1) numbers.

    Equations 4 and 5 of arXiv:1906.04032 within the bound, the identity beyond.
    """
    inside, clipped = _inside(values)
    at = _bin_of(clipped, parameters, by_height=False)
    share = (clipped - at.left) / at.width
    result = at.bottom + at.height * _rise(at, share)
    return ops.where(inside, result, values), ops.where(inside, _log_slope(at, share), 0.0)


def inverse_spline(values: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
    """Return the inverse and minus the logs of the slopes: equations 6 to 8 of arXiv:1906.04032."""
    inside, clipped = _inside(values)
    at = _bin_of(clipped, parameters, by_height=True)
    chord = at.height / at.width
    bend = at.slope + at.next_slope - 2.0 * chord
    above = clipped - at.bottom
    a = at.height * (chord - at.slope) + above * bend
    b = at.height * at.slope - above * bend
    c = -chord * above
    root = ops.sqrt(ops.maximum(ops.square(b) - 4.0 * a * c, 0.0))
    share = ops.clip(2.0 * c / (-b - root), 0.0, 1.0)
    result = at.left + share * at.width
    return ops.where(inside, result, values), ops.where(inside, -_log_slope(at, share), 0.0)


def _inside(values: Tensor) -> tuple[Tensor, Tensor]:
    return ops.less(ops.abs(values), BOUND), ops.clip(values, -BOUND, BOUND)


def _bin_of(values: Tensor, parameters: Tensor, by_height: bool) -> Bin:
    bins = (parameters.shape[-1] + 1) // 3
    widths, lefts = _sides(parameters[..., :bins])
    heights, bottoms = _sides(parameters[..., bins : 2 * bins])
    between = SMALLEST_SLOPE + ops.softplus(parameters[..., 2 * bins :] + SLOPE_OF_ZERO)
    end = ops.ones_like(between[..., :1])
    edges = bottoms if by_height else lefts
    passed = ops.cast(values[..., None] >= edges[..., 1:], values.dtype)
    # 1 for the last bin whose lower edge is not above the value.
    here = ops.concatenate([end, passed], -1) - ops.concatenate([passed, 0.0 * end], -1)
    columns = (
        lefts,
        widths,
        bottoms,
        heights,
        ops.concatenate([end, between], -1),
        ops.concatenate([between, end], -1),
    )
    return Bin(*(ops.sum(here * column, axis=-1) for column in columns))


def _sides(parameters: Tensor) -> tuple[Tensor, Tensor]:
    """Return sides that add up to the whole, and the lower edge of each."""
    bins = parameters.shape[-1]
    share = SMALLEST_WIDTH + (1.0 - SMALLEST_WIDTH * bins) * ops.softmax(parameters, axis=-1)
    sides = 2.0 * BOUND * share
    return sides, ops.cumsum(sides, axis=-1) - sides - BOUND


def _rise(at: Bin, share: Tensor) -> Tensor:
    chord, rest = at.height / at.width, share * (1.0 - share)
    above = chord * ops.square(share) + at.slope * rest
    return above / (chord + (at.slope + at.next_slope - 2.0 * chord) * rest)


def _log_slope(at: Bin, share: Tensor) -> Tensor:
    chord, rest = at.height / at.width, share * (1.0 - share)
    above = (
        at.next_slope * ops.square(share) + 2.0 * chord * rest + at.slope * ops.square(1.0 - share)
    )
    below = chord + (at.slope + at.next_slope - 2.0 * chord) * rest
    return 2.0 * ops.log(chord) + ops.log(above) - 2.0 * ops.log(below)
