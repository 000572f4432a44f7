"""Histograms and yields of every process of labelled events."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.bootstrap import FloatArray
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.systematics import shifts_of
from rootflow.evaluation.results import Spectrum, Yield
from rootflow.evaluation.spectra import counts, histogram


def spectrum(
    values: FloatArray, labelled: Labelled, edges: Sequence[float], among: NDArray[np.bool_]
) -> Spectrum:
    """Return the histogram of every process, and of data, of those events `among`.

    Parameters
    ----------
    values
        (n,).
    labelled
        The n events.
    edges
        Of the bins.
    among
        (n,) bool, the events that count.
    """
    simulated = {
        name: histogram(values, labelled.weight, edges, among & of_process)
        for name, of_process in labelled.simulated.items()
    }
    data = counts(values[among & labelled.data], edges) if labelled.has_data else None
    return Spectrum(tuple(edges), simulated, data, *shifts_of(values, labelled, edges, among))


def yields(labelled: Labelled, among: NDArray[np.bool_]) -> tuple[Yield, ...]:
    """Return how many events `among` there are of each process and what is expected of it."""
    found = []
    for sample, of_sample in labelled.by_sample:
        chosen = among & of_sample
        expected = None if labelled.kind(sample) == "data" else labelled.expected(chosen)
        found.append(Yield(sample.name, int(np.sum(chosen)), expected))
    return tuple(found)
