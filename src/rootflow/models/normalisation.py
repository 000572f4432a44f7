"""Means and scales of what a network sees, taken from training events."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.models.inputs import inputs, targets
from rootflow.models.kinematics import Tensor
from rootflow.models.views import LeptonViews

SEEN = ("jets", "leptons", "met", "pairs")
Row = tuple[float, ...]


@dataclass(frozen=True)
class Normalisation:
    """Mean and scale of every feature of the lepton views, and scales of the neutrinos.

    Attributes
    ----------
    means, scales
        For `jets`, `leptons`, `met` and `pairs`, one number for each feature.
    neutrino_scales
        Root mean square of px and py together, and of pz, in GeV.
    """

    means: dict[str, Row]
    scales: dict[str, Row]
    neutrino_scales: tuple[float, float]


def fit_normalisation(chunks: Iterable[Events]) -> Normalisation:
    """Return the normalisation of all events in `chunks`; only what is really there counts."""
    sums: dict[str, NDArray[np.float64]] = {}
    for events in chunks:
        for name, values in _values(events).items():
            powers = np.stack([values**0, values, values**2]).sum(axis=1)
            sums[name] = sums.get(name, 0.0) + powers
    means, scales = {}, {}
    for name in SEEN:
        count, total, squares = sums[name]
        mean = total / np.maximum(count, 1)
        variance = squares / np.maximum(count, 1) - mean**2
        means[name] = tuple(mean.tolist())
        # A feature that never varies stays where it is.
        scales[name] = tuple(np.where(variance > 1e-8, np.sqrt(np.abs(variance)), 1.0).tolist())
    count, _, squares = sums["neutrinos"]
    rms = np.sqrt(squares / count)
    return Normalisation(means, scales, (float(np.hypot(*rms[:2]) / np.sqrt(2)), float(rms[2])))


def _values(events: Events) -> dict[str, NDArray[np.float64]]:
    views = LeptonViews(events.features)(*inputs(events).values())
    mask = events.jet_mask
    pair_mask = mask[:, :, None] & mask[:, None, :] & ~np.eye(mask.shape[1], dtype=bool)
    there = {
        "jets": np.repeat(mask[:, None], 2, axis=1),
        "leptons": np.full((len(events), 2, 2), True),
        "met": np.full((len(events), 2, 1), True),
        "pairs": pair_mask,
    }
    values = {
        name: ops.convert_to_numpy(views[name]).astype(np.float64)[there[name]] for name in SEEN
    }
    values["neutrinos"] = targets(events)["neutrinos"].reshape(-1, 3).astype(np.float64)
    return values


@keras.saving.register_keras_serializable(package="rootflow")
class Standardise(keras.Layer):  # type: ignore[misc]
    """Subtract the mean and divide by the scale, both constants of the graph."""

    def __init__(self, mean: Row, scale: Row, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mean = tuple(mean)
        self.scale = tuple(scale)

    def get_config(self) -> dict[str, Any]:
        """Return what the layer is made from."""
        return {**super().get_config(), "mean": self.mean, "scale": self.scale}

    def call(self, values: Tensor) -> Tensor:
        """Return the values in units of their scale."""
        mean, scale = (ops.convert_to_tensor(row, "float32") for row in (self.mean, self.scale))
        return (values - mean) / scale
