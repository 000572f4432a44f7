"""Whether the intervals of a posterior hold the truth as often as they say."""

from typing import Any, Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.errors import ConformanceError
from rootflow.evaluation.observables import OBSERVABLES, values_of
from rootflow.evaluation.plain import plain
from rootflow.evaluation.results import Coverage
from rootflow.evaluation.sample import Candidate, Sample, reconstructed_decay
from rootflow.evaluation.tallies import Shares, everywhere
from rootflow.evaluation.tally import Tally, estimates_of, tally

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.6827, 0.8, 0.9, 0.9545)
COVERED = (
    "neutrino_px", "neutrino_py", "neutrino_pz",
    "antineutrino_px", "antineutrino_py", "antineutrino_pz", "mtt",
)  # fmt: skip
EVENTS_AT_ONCE = 256


class HasPosterior(Protocol):
    """A method that also draws neutrinos from its posterior."""

    def posterior(
        self, events: Events, samples: int, seed: int
    ) -> tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]:
        """Return momenta (n, samples, 2, 3) in GeV and log densities (n, samples)."""


def has_posterior(method: object) -> TypeGuard[HasPosterior]:
    """Tell whether a method also draws from a posterior."""
    return callable(getattr(method, "posterior", None))


def coverage(
    method: HasPosterior,
    candidate: Candidate,
    sample: Sample,
    events: int,
    samples: int,
    replicas: int,
    seed: int,
) -> dict[str, Coverage]:
    """Return how often central intervals hold the truth, by observable.

    An interval of level p is that between the quantiles (1 - p) / 2 and (1 + p) / 2 of the
    samples; m(ttbar) is that of the method's own jets with each sample, in matched events.

    Parameters
    ----------
    method
        That draws.
    candidate
        What it made of the sample.
    sample
        All events.
    events
        How many of the solved ones are used, chosen by lot.
    samples
        Of each posterior.
    replicas, seed
        Of the bootstrap; the seed also of the lot and of the samples.

    Raises
    ------
    ConformanceError
        The samples are not of that shape, or not finite.
    """
    solved = np.flatnonzero(candidate.solved)
    chosen = np.sort(np.random.default_rng(seed).permutation(solved)[:events])
    if not len(chosen):
        return {}
    outside = np.concatenate(
        [
            _outside(
                method, candidate, sample, chosen[first : first + EVENTS_AT_ONCE], samples, seed
            )
            for first in range(0, len(chosen), EVENTS_AT_ONCE)
        ]
    )
    weight, matched = sample.events.weight[chosen], sample.matched[chosen]
    statistics: dict[str, Tally] = {
        f"{name}/{level}": Shares(
            outside[:, place] <= level, everywhere(matched if name == "mtt" else matched >= 0), 1
        )
        for place, name in enumerate(COVERED)
        for level in LEVELS
    }
    found = estimates_of(statistics, tally(statistics, weight, replicas, seed), weight)
    return {
        name: Coverage(
            LEVELS,
            plain(np.array([found[f"{name}/{level}"].values[0] for level in LEVELS])),
            plain(np.array([found[f"{name}/{level}"].errors[0] for level in LEVELS])),
        )
        for name in COVERED
    }


def _outside(
    method: HasPosterior,
    candidate: Candidate,
    sample: Sample,
    index: NDArray[np.int64],
    samples: int,
    seed: int,
) -> NDArray[np.float64]:
    """Return (n, observables) the level of the smallest central interval that holds the truth."""
    events, count = sample.events.take(index), len(index)
    drawn = np.asarray(method.posterior(events, samples, seed)[0], dtype=np.float64)
    if drawn.shape != (count, samples, 2, 3) or not np.all(np.isfinite(drawn)):
        raise ConformanceError(
            f"{candidate.name}: the posterior of {count} events is finite momenta "
            f"{(count, samples, 2, 3)}, not {drawn.shape}"
        )
    repeated = np.repeat(np.arange(count), samples)
    decay = reconstructed_decay(
        events.take(repeated),
        candidate.answers.assignment[index][repeated],
        drawn.reshape(-1, 2, 3),
    )
    values = values_of(decay)
    levels = []
    for name in COVERED:
        of_events = values[OBSERVABLES[name].name].reshape(count, samples)
        true = sample.values[name][index, np.newaxis]
        below = (np.sum(of_events < true, axis=1) + 0.5) / (samples + 1)
        levels.append(np.abs(2 * below - 1))
    return np.stack(levels, axis=1)
