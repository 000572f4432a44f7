"""How well several classes are told from each other."""

from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.bootstrap import FloatArray, Replicated, Statistic
from rootflow.evaluation.classification.auc import AreaUnderCurve
from rootflow.evaluation.classification.evaluation import Classes, OneAgainstRest
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.spectra import spectrum


class ConfusionMatrix:
    """Weighted share of the events of each of k classes to which each class is given.

    Parameters
    ----------
    label
        (n,) the class of each event; negative: none of them.
    probabilities
        (n, k); an event is given the class of the highest, of equals the first.
    """

    def __init__(self, label: NDArray[np.int64], probabilities: FloatArray) -> None:
        count = probabilities.shape[1]
        self._among = np.flatnonzero(label >= 0)
        self._cells = (label * count + np.argmax(probabilities, axis=1))[self._among]
        self._shape = (count, count)

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Return (replicas, k * k), NaN in rows without a positive sum of weights."""
        count = self._shape[0] * self._shape[1]
        found = np.array(
            [
                np.bincount(self._cells, weight[self._among], count).reshape(self._shape)
                for weight in weights
            ]
        )
        rows = found.sum(axis=2, keepdims=True)
        shares = np.full(found.shape, np.nan)
        np.divide(found, rows, out=shares, where=rows > 0)
        return shares.reshape(len(weights), count)


class ClassStatistics(NamedTuple):
    """What is asked of a model of several classes: one AUC of each, and the confusion."""

    one_against_rest: dict[str, AreaUnderCurve]
    confusion: ConfusionMatrix

    @classmethod
    def of(cls, probabilities: FloatArray, events: Labelled) -> Self:
        """Return the statistics of the (n, k) probabilities of n simulated events."""
        labelled = events.label >= 0
        return cls(
            {
                name: AreaUnderCurve(
                    probabilities[:, place],
                    events.label == place,
                    labelled & (events.label != place),
                )
                for place, name in enumerate(events.classes)
            },
            ConfusionMatrix(events.label, probabilities),
        )

    def statistics(self) -> dict[str, Statistic]:
        """Return what the bootstrap has to find, by name."""
        areas = {f"auc_of_{name}": area for name, area in self.one_against_rest.items()}
        return {**areas, "confusion": self.confusion}

    def classes(
        self,
        found: Mapping[str, Replicated],
        probabilities: FloatArray,
        labelled: Labelled,
        edges: list[float],
    ) -> Classes:
        """Return what was found, with the probabilities of all events, data too."""
        everything = np.ones(len(labelled), bool)
        names = list(self.one_against_rest)
        confusion = found["confusion"]
        return Classes(
            tuple(
                OneAgainstRest(
                    name,
                    found[f"auc_of_{name}"].estimate(),
                    spectrum(probabilities[:, place], labelled, edges, everything),
                )
                for place, name in enumerate(names)
            ),
            tuple(
                tuple(confusion.estimate(row * len(names) + column) for column in range(len(names)))
                for row in range(len(names))
            ),
        )
