"""Observables as they are reconstructed in collisions, and in what is expected there."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config import EvaluationConfig
from rootflow.dataset.events import Events
from rootflow.dataset.manifest import Sample
from rootflow.evaluation.reconstruction.distributions import distribution_edges
from rootflow.evaluation.reconstruction.observables import OBSERVABLES
from rootflow.evaluation.reconstruction.sample import Candidate, candidates_of
from rootflow.evaluation.results import Kind, Process, Spectrum
from rootflow.evaluation.spectra import counts, histogram, process_of


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
    kinds: dict[str | None, Kind] = {"data": "data", "background": "background"}
    return tuple(
        process_of(
            sample,
            kinds.get(sample.label, "signal"),
            collisions.events.weight if sample.label == "data" else events.weight[among],
        )
        for sample, among in _by_sample(collisions, events)
    )


def spectra_of(
    names: Sequence[str],
    candidates: Sequence[Candidate],
    collisions: Collisions,
    events: Events,
    config: EvaluationConfig,
) -> dict[str, dict[str, Spectrum]]:
    """Return observables of solved events, by name, of each method under evaluation.

    `candidates` are what methods made of the simulated `events`.
    """
    looking = [candidate for candidate in candidates if candidate.is_evaluated]
    neutrinos = config.neutrinos if config.neutrinos in ("model", "none") else "model"
    observed = candidates_of(collisions.events, [each.method for each in looking], neutrinos)
    return {
        each.name: {name: _spectrum(name, simulated, each, collisions, events) for name in names}
        for simulated, each in zip(looking, observed, strict=True)
    }


def _spectrum(
    name: str, simulated: Candidate, observed: Candidate, collisions: Collisions, events: Events
) -> Spectrum:
    edges = distribution_edges(OBSERVABLES[name])
    processes = {
        sample.name: histogram(
            simulated.values[name], events.weight, edges, among & simulated.solved
        )
        for sample, among in _by_sample(collisions, events)
        if sample.label != "data"
    }
    data = counts(observed.values[name][observed.solved], edges)
    return Spectrum(edges, processes, data)


def _by_sample(collisions: Collisions, events: Events) -> list[tuple[Sample, NDArray[np.bool_]]]:
    """Return each sample and (n,) its events; where those do not say theirs, there is one."""
    if events.sample is None:
        return [(each, np.full(len(events), each.label != "data")) for each in collisions.samples]
    return [
        (each, np.asarray(events.sample == place)) for place, each in enumerate(collisions.samples)
    ]
