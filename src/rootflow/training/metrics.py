"""How well scores tell classes apart, on weighted events."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.estimate import Estimate

Numbers = NDArray[np.floating]

# As near to 0 or 1 as Keras lets a probability come in its cross-entropy.
NEAREST = 1e-7


def weighted_auc(score: Numbers, label: NDArray[np.integer], weight: Numbers) -> float:
    """Return the area under the ROC curve, exactly.

    It is the weighted share of pairs of signal (label 1) and background in which the signal has
    the higher score; equal scores count half (J. A. Hanley and B. J. McNeil, Radiology 143, 29
    (1982)). Negative weights count with their sign; the sum of each class is positive.
    """
    _, place = np.unique(score, return_inverse=True)
    weight = weight.astype(np.float64)
    signal = np.bincount(place, weight * (label == 1))
    background = np.bincount(place, weight * (label == 0))
    lower = np.cumsum(background) - background / 2
    return float(np.sum(signal * lower) / (signal.sum() * background.sum()))


def areas(
    said: Numbers, label: NDArray[np.integer], weight: Numbers, classes: Sequence[str]
) -> dict[str, float]:
    """Return the area under the ROC curve as `auc`.

    With more than two classes it is the mean of those of each class against all others,
    `auc_CLASS`. What is said is the probability of signal (n,), or of each class (n, classes).
    """
    if said.ndim == 1:
        return {"auc": weighted_auc(said, label, weight)}
    each = {
        f"auc_{name}": weighted_auc(said[:, place], (label == place).astype(int), weight)
        for place, name in enumerate(classes)
    }
    return {"auc": float(np.mean([*each.values()])), **each}


def cross_entropy(said: Numbers, label: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return minus the logarithm of the probability of each event's label, as of `areas`, (n,)."""
    probability = np.clip(said.astype(np.float64), NEAREST, 1 - NEAREST)
    if said.ndim == 1:
        return -np.log(np.where(label == 1, probability, 1 - probability))
    return -np.log(np.take_along_axis(probability, label[:, None].astype(int), axis=1)[:, 0])


def weighted_mean(values: Numbers, weight: Numbers) -> Estimate:
    """Return the weighted mean of independent events, and its standard error.

    The error is that of a ratio of two sums, sqrt(sum w^2 (x - mean)^2) / sum w:
    W. G. Cochran, Sampling Techniques, 3rd edition, Wiley 1977, equation 6.10.
    """
    weight = weight.astype(np.float64)
    total = weight.sum()
    mean = float(np.sum(weight * values) / total)
    return Estimate(mean, float(np.sqrt(np.sum((weight * (values - mean)) ** 2)) / total))
