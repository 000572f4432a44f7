"""Histograms, yields and systematic shifts of every process of labelled events."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.bootstrap import FloatArray
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.results import Spectrum, Yield
from rootflow.evaluation.spectra import counts, histogram, varied_weights


def spectrum(
    values: FloatArray,
    labelled: Labelled,
    edges: Sequence[float],
    among: NDArray[np.bool_] | None = None,
) -> Spectrum:
    """Return the histogram of the values (n,) of every process, and of data.

    Events that are not `among` (n,) do not count, without it all do.
    """
    among = np.ones(len(labelled), bool) if among is None else among
    simulated = {
        name: histogram(values, labelled.weight, edges, among & of_process)
        for name, of_process in labelled.simulated.items()
    }
    data = counts(values[among & labelled.data], edges) if labelled.has_data else None
    return Spectrum(tuple(edges), simulated, data, *_shifts(values, labelled, edges, among))


def yields(labelled: Labelled, among: NDArray[np.bool_] | None = None) -> tuple[Yield, ...]:
    """Return how many events `among` (n,) there are of each process and what is expected of it."""
    among = np.ones(len(labelled), bool) if among is None else among
    return tuple(
        Yield(
            sample.name,
            int(np.sum(among & of_sample)),
            None if labelled.kind(sample) == "data" else labelled.expected(among & of_sample),
        )
        for sample, of_sample in labelled.by_sample
    )


def _shifts(
    values: FloatArray, labelled: Labelled, edges: Sequence[float], among: NDArray[np.bool_]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return by how much variations lower and raise the simulated events in each bin.

    Those of all variations are added in quadrature, each on its side.
    """
    chosen = among & (labelled.signal | labelled.background)
    shifts = np.array(
        [
            np.histogram(values[chosen], edges, weights=(weight - labelled.weight)[chosen])[0]
            for weight in varied_weights(labelled.events).values()
        ]
    )
    if not len(shifts):
        return (), ()
    down, up = (np.sqrt(np.sum(np.maximum(side * shifts, 0) ** 2, axis=0)) for side in (-1, 1))
    return tuple(down.tolist()), tuple(up.tolist())
