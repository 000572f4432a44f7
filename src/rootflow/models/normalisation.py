"""Means and scales of what a network sees, taken from training events."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from rootflow.dataset.events import Events, Signs, pairs_of_jets
from rootflow.models.kinematics import Tensor
from rootflow.models.views import LeptonViews

SEEN = ("jets", "leptons", "met", "pairs")
SMALLEST_COUNT = 1e-9
SMALLEST_VARIANCE = 1e-8
Row = tuple[float, ...]
Scales = tuple[float, float, float]
Rows = NDArray[np.float64]


class Normalisation(NamedTuple):
    """Mean and scale of every column of the arrays that a network is given, by their names."""

    means: dict[str, Row]
    scales: dict[str, Row]

    @property
    def neutrino_scales(self) -> Scales:
        """The RMS of px and py, which share theirs, and pz in GeV, where `neutrinos` are there."""
        rms = np.hypot(self.means["neutrinos"], self.scales["neutrinos"])
        transverse = float(np.sqrt(np.mean(rms[:2] ** 2)))
        return transverse, transverse, float(rms[2])

    def applied(self, name: str, values: Tensor) -> Tensor:
        """Return the columns of an array in units of their scales, from their means."""
        layer = Standardise(self.means[name], self.scales[name], name=f"standardise_{name}")
        return layer(values)


def fit_normalisation(
    chunks: Iterable[tuple[Events, NDArray[np.floating]]], signs: Signs | None = None
) -> Normalisation:
    """Return the normalisation of views and `neutrinos`, by events and their weights' sizes.

    Only jets that are there count, and only pairs of two different jets; `signs` are those of
    `LeptonViews`.
    """

    def sums(events: Events, weight: NDArray[np.floating]) -> dict[str, Rows]:
        absolute = np.abs(weight).astype(np.float64)
        return {
            name: np.einsum("i,pif->pf", weights, powers_of(values))
            for name, (values, weights) in _values(events, absolute, signs).items()
        }

    return means_and_scales(sums(*chunk) for chunk in chunks)


def powers_of(values: Rows) -> Rows:
    """Return values (...) to the powers of 0, 1 and 2, (3, ...)."""
    return np.stack([np.ones_like(values), values, values**2])


def means_and_scales(chunks: Iterable[Mapping[str, Rows]]) -> Normalisation:
    """Return means and standard deviations by name, of sums (3, columns) of weighted powers.

    They are 0 and 1 of what is never there; of a constant the deviation is 1.
    """
    sums: dict[str, Rows] = {}
    for chunk in chunks:
        for name, powers in chunk.items():
            sums[name] = sums.get(name, 0.0) + powers
    means, scales = {}, {}
    for name, (count, total, squares) in sums.items():
        mean = total / np.maximum(count, SMALLEST_COUNT)
        variance = squares / np.maximum(count, SMALLEST_COUNT) - mean**2
        scale = np.sqrt(np.where(variance > SMALLEST_VARIANCE, variance, 1.0))
        means[name], scales[name] = tuple(mean.tolist()), tuple(scale.tolist())
    return Normalisation(means, scales)


def _values(events: Events, weight: Rows, signs: Signs | None) -> dict[str, tuple[Rows, Rows]]:
    """Return the rows of features that are there, and a weight for each row."""
    views = LeptonViews(events.features, signs)(**events.inputs())
    mask = events.jet_mask
    there = {
        "jets": np.repeat(mask[:, None], 2, axis=1),
        "leptons": np.full((len(events), 2, 2), True),
        "met": np.full((len(events), 2, 1), True),
        "pairs": pairs_of_jets(mask),
        "neutrinos": np.full((len(events), 2), True),
    }
    arrays = {name: ops.convert_to_numpy(views[name]) for name in SEEN if name in views} | {
        "neutrinos": events.targets()["neutrinos"]
    }
    return {
        name: (arrays[name][kept].astype(np.float64), weight[np.nonzero(kept)[0]])
        for name, kept in there.items()
        if name in arrays
    }


@keras.saving.register_keras_serializable(package="rootflow")
class Standardise(keras.Layer):  # type: ignore[misc]
    """Subtract the mean and divide by the scale, both constants of the graph."""

    def __init__(self, mean: Row, scale: Row, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mean = mean
        self.scale = scale

    def call(self, values: Tensor) -> Tensor:
        """Return the values in units of their scale."""
        mean, scale = (ops.convert_to_tensor(row, values.dtype) for row in (self.mean, self.scale))
        return (values - mean) / scale
