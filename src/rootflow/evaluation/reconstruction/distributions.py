"""What is looked at and not measured: distributions, also in collisions, and event displays."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config import EvaluationConfig
from rootflow.dataset.events import Events
from rootflow.dataset.manifest import Sample
from rootflow.evaluation.bootstrap import Replicated, ratio
from rootflow.evaluation.reconstruction.metrics import SCORE_EDGES, both_right
from rootflow.evaluation.reconstruction.migration import migration_of
from rootflow.evaluation.reconstruction.observables import OBSERVABLES, Observable
from rootflow.evaluation.reconstruction.results import (
    Confusion,
    Display,
    ObservableResult,
    Particle,
    ScoreResult,
)
from rootflow.evaluation.reconstruction.sample import Candidate, EventsWithTruth, candidates_of
from rootflow.evaluation.results import (
    Histogram,
    Kind,
    Process,
    Rows,
    Spectrum,
    counts,
    histogram,
    plain,
    process_of,
)
from rootflow.methods.reconstruction.objects import four_momenta
from rootflow.physics.kinematics import FloatArray
from rootflow.physics.ttbar import Decay

FINE_SCORE_EDGES = tuple(np.linspace(0, 1, 26).tolist())
BINS_OF_DISTRIBUTION, BINS_OF_RESIDUALS = 25, 50


def truth_distributions(sample: EventsWithTruth) -> dict[str, Histogram]:
    """Return the true observables of all events."""
    everything = np.ones(len(sample.events), bool)
    return {
        name: histogram(sample.values[name], sample.events.weight, edges_of(each), everything)
        for name, each in OBSERVABLES.items()
    }


def edges_of(observable: Observable) -> tuple[float, ...]:
    """Return the edges of the figures of an observable."""
    low, high = observable.bins[0], observable.bins[-1]
    return tuple(np.linspace(low, high, BINS_OF_DISTRIBUTION + 1).tolist())


def observable_of(
    observable: Observable, candidate: Candidate, sample: EventsWithTruth, in_bins: Replicated
) -> ObservableResult:
    """Return an observable as a method reconstructs it; `in_bins` are biases, then resolutions."""
    weight, values = sample.events.weight, candidate.values[observable.name]
    residuals = observable.residuals(values, sample.values[observable.name])
    among = np.isfinite(residuals)
    if observable.of == "tops":
        among &= sample.matched
    edges = np.linspace(-observable.reach, observable.reach, BINS_OF_RESIDUALS + 1).tolist()
    count = len(observable.bins) - 1
    return ObservableResult(
        residuals=histogram(residuals, weight, edges, among),
        bias=in_bins.part(slice(count)).binned(observable.bins),
        resolution=in_bins.part(slice(count, None)).binned(observable.bins),
        distribution=histogram(values, weight, edges_of(observable), candidate.solved),
        migration=migration_of(observable, candidate, sample),
    )


def scores_of(candidate: Candidate, sample: EventsWithTruth, accuracy: Replicated) -> ScoreResult:
    """Return the scores of matched events; `accuracy` is in the bins of the metrics."""
    both = both_right(candidate, sample)
    among = candidate.answers.solved & sample.matched
    right, wrong = (
        histogram(candidate.answers.scores, sample.events.weight, FINE_SCORE_EDGES, among & of)
        for of in (both, ~both)
    )
    return ScoreResult(right, wrong, accuracy.binned(SCORE_EDGES))


def confusion(candidate: Candidate, sample: EventsWithTruth) -> Confusion:
    """Return the slots chosen for b and bbar of matched events, by the true slot."""
    slots = sample.events.jet_mask.shape[1]
    weight = sample.events.weight[sample.matched]

    def rows(leg: int) -> Rows:
        true = sample.assignment[sample.matched, leg]
        chosen = candidate.answers.assignment[sample.matched, leg] % (slots + 1)
        sums = np.zeros((slots, slots + 1))
        np.add.at(sums, (true, chosen), weight)
        shares = ratio(sums, np.sum(sums, axis=1, keepdims=True))
        return tuple(plain(row) for row in shares)

    return Confusion(rows(0), rows(1))


class Collisions(NamedTuple):
    """Collisions of the folds that are evaluated, and the samples that all events count through."""

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
    """Return observables of solved events, by name, of each method under evaluation."""
    looking = [candidate for candidate in candidates if candidate.is_evaluated]
    neutrinos = config.neutrinos if config.neutrinos in ("model", "none") else "model"
    observed = candidates_of(collisions.events, [each.method for each in looking], neutrinos)
    expected = [each for each in _by_sample(collisions, events) if each[0].label != "data"]

    def spectrum(name: str, simulated: Candidate, data: Candidate) -> Spectrum:
        edges, values = edges_of(OBSERVABLES[name]), simulated.values[name]
        processes = {
            sample.name: histogram(values, events.weight, edges, among & simulated.solved)
            for sample, among in expected
        }
        return Spectrum(edges, processes, counts(data.values[name][data.solved], edges))

    return {
        each.name: {name: spectrum(name, simulated, each) for name in names}
        for simulated, each in zip(looking, observed, strict=True)
    }


def _by_sample(collisions: Collisions, events: Events) -> list[tuple[Sample, NDArray[np.bool_]]]:
    """Return each sample and (n,) its events; where those do not say theirs, there is one."""
    if events.sample is None:
        return [(each, np.full(len(events), each.label != "data")) for each in collisions.samples]
    return [
        (each, np.asarray(events.sample == place)) for place, each in enumerate(collisions.samples)
    ]


def displays_of(candidate: Candidate, sample: EventsWithTruth, count: int) -> tuple[Display, ...]:
    """Return events of a method with neutrinos, `count` of each kind."""
    mtt, true = candidate.values["mtt"], sample.values["mtt"]
    both = both_right(candidate, sample)
    among = candidate.solved & sample.matched
    scores = np.where(among, candidate.answers.scores, -np.inf)
    picked = (
        ("most confident, both right", among & both, scores),
        ("most confident, wrong", among & ~both, scores),
        ("least confident", among, -scores),
        ("m(tt̄) furthest from the truth", among, np.abs(mtt - true)),
    )
    return tuple(
        _display(reason, candidate, sample, int(event))
        for reason, of, rank in picked
        for event in np.flatnonzero(of)[np.argsort(-rank[of], kind="stable")[:count]]
    )


def _display(reason: str, candidate: Candidate, sample: EventsWithTruth, event: int) -> Display:
    events, true, reconstructed = sample.events, sample.decay, candidate.decay
    assert reconstructed is not None  # noqa: S101 - only methods with neutrinos are displayed
    taken = events.take(np.array([event]))
    slots = np.flatnonzero(taken.jet_mask[0])
    roles = [
        {int(b): "b", int(bbar): "bbar"}
        for b, bbar in (sample.assignment[event], candidate.answers.assignment[event])
    ]
    jets = [":".join(("jet", *(role.get(int(slot), "other") for role in roles))) for slot in slots]
    met, phi = (taken.met[0, taken.features["met"].index(name)] for name in ("pt", "phi"))
    return Display(
        reason=reason,
        method=candidate.name,
        event=events.in_words(event),
        file_index=int(events.file_index[event]),
        score=float(candidate.answers.scores[event]),
        measured=(
            *_particles(jets, four_momenta(taken, "jets")[0, slots]),
            *_particles(("l+", "l-"), four_momenta(taken, "leptons")[0]),
            *_particles(("met",), np.array([[met * np.cos(phi), met * np.sin(phi), 0.0]])),
        ),
        generated=_of_decay(true, event),
        reconstructed=_of_decay(reconstructed, event),
    )


def _of_decay(decay: Decay, event: int) -> tuple[Particle, ...]:
    neutrinos = _particles(("nu", "nubar"), decay.neutrinos[event])
    return neutrinos + _particles(("t", "tbar"), decay.tops[event])


def _particles(kinds: Sequence[str], momenta: FloatArray) -> tuple[Particle, ...]:
    return tuple(
        Particle(kind, *map(float, momentum[:3]))
        for kind, momentum in zip(kinds, momenta, strict=True)
    )
