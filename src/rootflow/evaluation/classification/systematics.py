"""What systematic variations of the weights change."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.evaluation.bootstrap import FloatArray
from rootflow.evaluation.classification.auc import AreaUnderCurve
from rootflow.evaluation.classification.evaluation import Variation
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.significance import asimov_with_uncertainty

Shifts = tuple[tuple[float, ...], tuple[float, ...]]


def varied_weights(events: Events) -> dict[str, FloatArray]:
    """Return (n,) weights by the name of the variation; empty where events have none."""
    varied = events.systematic_weights
    return {} if varied is None else {name: varied[name] for name in varied.dtype.names or ()}


def variations_of(
    auc: AreaUnderCurve,
    scores: FloatArray,
    simulation: Labelled,
    counted: Labelled,
    threshold: float,
    background_uncertainty: float,
) -> tuple[Variation, ...]:
    """Return by how much each variation shifts a model's results.

    Parameters
    ----------
    auc
        Of the simulation.
    scores
        (n,) of the simulation.
    simulation, counted
        Its n events, and the same of which only those count that do in significances.
    threshold
        The nominal best cut.
    background_uncertainty
        Relative.
    """
    kept = scores >= threshold

    def found(weight: FloatArray) -> FloatArray:
        signal, background, variance = (
            np.sum(values[kept & among])
            for values, among in (
                (weight, counted.signal),
                (weight, counted.background),
                (weight**2, counted.background),
            )
        )
        variance += (background_uncertainty * background) ** 2
        significance = asimov_with_uncertainty(signal, background, variance)
        area = auc(weight[np.newaxis])[0, 0]
        return np.array([area, signal, background, significance], np.float64)

    nominal = found(simulation.weight)
    return tuple(
        Variation(name, *(found(weight) - nominal).tolist())
        for name, weight in varied_weights(simulation.events).items()
    )


def shifts_of(
    values: FloatArray, labelled: Labelled, edges: Sequence[float], among: NDArray[np.bool_]
) -> Shifts:
    """Return by how much variations lower and raise the simulated events in each bin.

    Those of all variations are added in quadrature, each on its side.
    """
    chosen = among & ~labelled.data & (labelled.signal | labelled.background)
    varied: Mapping[str, FloatArray] = varied_weights(labelled.events)
    if not varied:
        return (), ()
    shifts = np.array(
        [
            np.histogram(values[chosen], edges, weights=(weight - labelled.weight)[chosen])[0]
            for weight in varied.values()
        ]
    )
    down, up = (np.sqrt(np.sum(np.maximum(side * shifts, 0) ** 2, axis=0)) for side in (-1, 1))
    return tuple(down.tolist()), tuple(up.tolist())
