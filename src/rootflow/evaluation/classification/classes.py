"""How well several classes are told from each other."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.bootstrap import FloatArray, Replicated, Statistic, ratio
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.ranking import AreaUnderCurve
from rootflow.evaluation.classification.results import Classes, OneAgainstRest
from rootflow.evaluation.classification.spectra import spectrum


class ConfusionMatrix:
    """Weighted share of the events of each of k classes to which each class is given.

    Labels (n,) are the class, or negative for none of them; an event is given the class of the
    highest of its probabilities (n, k), of equals the first.
    """

    def __init__(self, label: NDArray[np.int64], probabilities: FloatArray) -> None:
        count = probabilities.shape[1]
        self._among = np.flatnonzero(label >= 0)
        self._cells = (label * count + np.argmax(probabilities, axis=1))[self._among]
        self._count = count

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Return (replicas, k * k), NaN in rows without a positive sum of weights."""
        cells = self._count**2
        sums = [np.bincount(self._cells, weight[self._among], cells) for weight in weights]
        found = np.array(sums, np.float64).reshape(len(weights), self._count, self._count)
        return ratio(found, found.sum(axis=2, keepdims=True)).reshape(len(weights), cells)


class ClassQuestion:
    """What the bootstrap is asked of the probabilities (n, k) of simulated events.

    It is one AUC of each class against all others, and which events are taken for which.
    """

    def __init__(self, probabilities: FloatArray, simulation: Labelled) -> None:
        self._names, label = simulation.classes, simulation.label
        self.statistics: dict[str, Statistic] = {
            f"auc_of_{name}": AreaUnderCurve(
                probabilities[:, place], label == place, (label >= 0) & (label != place)
            )
            for place, name in enumerate(self._names)
        }
        self.statistics["confusion"] = ConfusionMatrix(label, probabilities)

    def answer(
        self,
        found: Mapping[str, Replicated],
        probabilities: FloatArray,
        labelled: Labelled,
        edges: list[float],
    ) -> Classes:
        """Return what was found, with the probabilities of all events, data too."""
        places = range(len(self._names))
        confusion = found["confusion"]
        return Classes(
            tuple(
                OneAgainstRest(
                    name,
                    found[f"auc_of_{name}"].estimate(),
                    spectrum(probabilities[:, place], labelled, edges),
                )
                for place, name in enumerate(self._names)
            ),
            tuple(
                tuple(confusion.estimate(row * len(places) + column) for column in places)
                for row in places
            ),
        )
