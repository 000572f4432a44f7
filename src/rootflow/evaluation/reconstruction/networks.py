"""What is asked of networks alone: coverage of their posteriors, and importance of their inputs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.config import EvaluationConfig
from rootflow.dataset.events import Events
from rootflow.errors import ConformanceError
from rootflow.evaluation.bootstrap import CellStatistic, FloatArray, bootstrap
from rootflow.evaluation.cell_statistics import Drop, Shares, everywhere
from rootflow.evaluation.permutation import REPLICAS, by_lot, largest_first, permuted
from rootflow.evaluation.reconstruction.observables import values_of
from rootflow.evaluation.reconstruction.results import Coverage
from rootflow.evaluation.reconstruction.sample import (
    Candidate,
    EventsWithTruth,
    reconstructed_decay,
)
from rootflow.evaluation.results import Importance, plain
from rootflow.methods.contract import Posterior, Reconstructor
from rootflow.progress import progress

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.6827, 0.8, 0.9, 0.9545)
MTT = "mtt"
COMPONENTS = (
    "neutrino_px", "neutrino_py", "neutrino_pz",
    "antineutrino_px", "antineutrino_py", "antineutrino_pz",
)  # fmt: skip
COVERED = ("highest_density", *COMPONENTS, MTT)
EVENTS_AT_ONCE = 256


def coverage(
    candidate: Candidate, sample: EventsWithTruth, config: EvaluationConfig, seed: int
) -> dict[str, Coverage]:
    """Return how often credible regions hold the truth, by observable; none without a posterior.

    `highest_density` is the region of all six components together where the density is
    highest. The others are central intervals, which for a level p are those between the
    quantiles (1 - p) / 2 and (1 + p) / 2 of the samples; m(ttbar) is that of the method's own
    jets with each sample, in matched events.

    It is of solved events that are chosen by lot; the seed is also that of the lot and of the
    samples.
    """
    has_posterior = getattr(candidate.method, "has_posterior", False)
    if not config.posterior_events or candidate.decay is None or not has_posterior:
        return {}
    solved = np.flatnonzero(candidate.solved)
    chosen = np.sort(np.random.default_rng(seed).permutation(solved)[: config.posterior_events])
    if not len(chosen):
        return {}
    samples = config.posterior_samples
    parts = (chosen[at : at + EVENTS_AT_ONCE] for at in range(0, len(chosen), EVENTS_AT_ONCE))
    outside = np.concatenate([_outside(candidate, sample, part, samples, seed) for part in parts])
    weight, matched = sample.events.weight[chosen], sample.matched[chosen]
    statistics: dict[str, CellStatistic] = {
        f"{name}/{level}": Shares(
            outside[:, place] <= level, everywhere(matched if name == MTT else matched >= 0), 1
        )
        for place, name in enumerate(COVERED)
        for level in LEVELS
    }
    found = bootstrap(statistics, weight, config.replicas, seed)
    covered = {}
    for name in COVERED:
        shares, errors = np.array([found[f"{name}/{level}"].estimate() for level in LEVELS]).T
        covered[name] = Coverage(LEVELS, plain(shares), plain(errors))
    return covered


def _outside(
    candidate: Candidate,
    sample: EventsWithTruth,
    index: NDArray[np.int64],
    samples: int,
    seed: int,
) -> FloatArray:
    """Return (n, observables) the level of the smallest region that holds the truth."""
    method: Any = candidate.method  # one with a posterior
    events, count = sample.events.take(index), len(index)
    true = np.stack([sample.values[name][index] for name in COMPONENTS], axis=1)
    true = true.reshape(count, 2, 3)
    posterior: Posterior = method.posterior(events, samples, seed)
    drawn = np.asarray(posterior.neutrinos, dtype=np.float64)
    if drawn.shape != (count, samples, 2, 3) or not np.all(np.isfinite(drawn)):
        raise ConformanceError(
            f"{candidate.name}: the posterior of {count} events is finite momenta "
            f"{(count, samples, 2, 3)}, not {drawn.shape}"
        )
    highest, central = levels_of(posterior, true, method.log_density(events, true))
    repeated = np.repeat(np.arange(count), samples)
    decay = reconstructed_decay(
        events.take(repeated),
        candidate.answers.assignment[index][repeated],
        drawn.reshape(-1, 2, 3),
    )
    mtt = values_of(decay)[MTT].reshape(count, samples)
    of_mtt = _central_level(mtt, sample.values[MTT][index])
    return np.column_stack([highest, central.reshape(count, 6), of_mtt])


def levels_of(
    posterior: Posterior, neutrinos: NDArray[np.floating], log_density: NDArray[np.floating]
) -> tuple[FloatArray, FloatArray]:
    """Return the smallest credible levels whose regions hold the true momenta (n, 2, 3) in GeV.

    The first (n,) are of regions of highest density of all six components together: the share of
    the samples where the density is higher than at the truth (R. J. Hyndman, The American
    Statistician 50, 120 (1996)), of which `log_density` (n,) is the logarithm, per GeV^6. The
    others (n, 2, 3) are of central intervals of each component.
    """
    higher = posterior.log_density > log_density[:, np.newaxis]
    return np.mean(higher, axis=1), _central_level(posterior.neutrinos, neutrinos)


def _central_level(samples: NDArray[np.floating], true: NDArray[np.floating]) -> FloatArray:
    """Return the smallest central level (n, ...) of samples (n, samples, ...) with the truth."""
    count = samples.shape[1]
    below = (np.sum(samples < true[:, np.newaxis], axis=1) + 0.5) / (count + 1)
    return np.asarray(np.abs(2.0 * below - 1.0), np.float64)


def importances(
    method: Reconstructor, events: Events, at_most: int, seed: int
) -> tuple[Importance, ...]:
    """Return the loss in assignment accuracy by each input, the largest first.

    The values of a feature, or of a whole collection, are permuted among the matched events:
    those of jets among events with as many jets, all jets of an event together (L. Breiman,
    Machine Learning 45 (2001) 5, section 10). An input that others tell as well has no
    importance by itself. Errors are by 100 bootstrap replicas of the events with the values that
    they got. At most so many events are used, chosen by lot.
    """
    random = np.random.default_rng(seed)
    events = events.take(by_lot(np.flatnonzero(events.matched), at_most, random))
    jets = np.sum(events.jet_mask, axis=1)
    whole = _right(method, events)
    every = [(name, events.features[name]) for name in events.collections]
    inputs = [(name, features) for name, features in every if len(features) > 1]
    inputs += [(name, (feature,)) for name, features in every for feature in features]
    drops = {}
    with progress("importance", len(inputs), "inputs") as advance:
        for number, (collection, features) in enumerate(inputs):
            group = jets if collection == "jets" else np.zeros_like(jets)
            without = permuted(events, collection, features, group, random)
            drops[str(number)] = Drop(whole, _right(method, without))
            advance(1, f"{method.name} {collection}")
    found = bootstrap(drops, events.weight, REPLICAS, seed)
    return largest_first(
        Importance(
            collection, features[0] if len(features) == 1 else None, found[str(number)].estimate()
        )
        for number, (collection, features) in enumerate(inputs)
    )


def _right(method: Reconstructor, events: Events) -> NDArray[np.bool_]:
    answers = method.answer(events).assignment
    return np.asarray(np.all(answers == events.assignment, axis=1))
