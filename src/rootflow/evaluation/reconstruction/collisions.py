"""Observables as they are reconstructed in collisions, and in what is expected there."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.dataset.manifest import Sample
from rootflow.estimate import Estimate
from rootflow.evaluation.reconstruction.distributions import distribution_edges
from rootflow.evaluation.reconstruction.observables import OBSERVABLES
from rootflow.evaluation.reconstruction.sample import Candidate
from rootflow.evaluation.results import Kind, Process, Spectrum
from rootflow.evaluation.spectra import counts, histogram


class Collisions(NamedTuple):
    """Collisions, of which nothing is known, beside simulated events.

    Attributes
    ----------
    events
        Of the folds that are evaluated.
    samples
        Those that `sample` of all events counts through.
    """

    events: Events
    samples: Sequence[Sample]


def processes_of(collisions: Collisions, events: Events) -> tuple[Process, ...]:
    """Return how many events there are of each sample, and what is expected of it."""
    found = []
    for sample, among in zip(collisions.samples, _by_sample(collisions, events), strict=True):
        kind = _kind(sample)
        weight = events.weight[among]
        found.append(
            Process(
                name=sample.name,
                title=sample.title,
                kind=kind,
                events=len(collisions.events) if kind == "data" else len(weight),
                expected=None
                if kind == "data"
                else Estimate(float(np.sum(weight)), float(np.sqrt(np.sum(weight**2)))),
                pseudo_data=sample.pseudo_data,
            )
        )
    return tuple(found)


def spectra_of(
    names: Sequence[str],
    simulated: Candidate,
    observed: Candidate,
    collisions: Collisions,
    events: Events,
) -> dict[str, Spectrum]:
    """Return observables of solved events, by name.

    Parameters
    ----------
    names
        Of the observables.
    simulated, observed
        What one method made of the simulated events and of the collisions.
    collisions, events
        Both kinds of events.
    """
    made = {}
    for name in names:
        edges = distribution_edges(OBSERVABLES[name])
        values = simulated.values[name].astype(np.float64)
        processes = {
            sample.name: histogram(values, events.weight, edges, among & simulated.solved)
            for sample, among in zip(
                collisions.samples, _by_sample(collisions, events), strict=True
            )
            if sample.label != "data"
        }
        data = counts(observed.values[name][observed.solved].astype(np.float64), edges)
        made[name] = Spectrum(edges, processes, data)
    return made


def _kind(sample: Sample) -> Kind:
    if sample.label == "data":
        return "data"
    return "background" if sample.label == "background" else "signal"


def _by_sample(collisions: Collisions, events: Events) -> list[NDArray[np.bool_]]:
    """Return (n,) bool of each sample; where events do not say theirs, there is one."""
    if events.sample is None:
        return [np.full(len(events), each.label != "data") for each in collisions.samples]
    return [np.asarray(events.sample == place) for place in range(len(collisions.samples))]
