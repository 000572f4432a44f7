"""From events and methods to an evaluation."""

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np

from rootflow.config import EvaluationConfig
from rootflow.dataset.events import Events
from rootflow.dataset.weights import effective_events
from rootflow.evaluation.bootstrap import CellStatistic, Replicated, bootstrap
from rootflow.evaluation.cell_statistics import Shares, everywhere
from rootflow.evaluation.paired import comparisons
from rootflow.evaluation.reconstruction import distributions, metrics
from rootflow.evaluation.reconstruction.distributions import Collisions, spectra_of
from rootflow.evaluation.reconstruction.networks import coverage, importances
from rootflow.evaluation.reconstruction.observables import OBSERVABLES
from rootflow.evaluation.reconstruction.results import (
    UNDER_EVALUATION,
    Complement,
    Evaluation,
    MethodResult,
)
from rootflow.evaluation.reconstruction.sample import (
    Candidate,
    EventsWithTruth,
    candidates_of,
    sample_of,
)
from rootflow.evaluation.results import Binned, Importance, Spectrum, check_known
from rootflow.methods.contract import Reconstructor

# In what every two methods are compared.
COMPARED = ("assignment_accuracy", "selection_accuracy", "mtt_resolution")


class Assessment(NamedTuple):
    """An evaluation with the events and answers that it was made from."""

    evaluation: Evaluation
    sample: EventsWithTruth
    candidates: list[Candidate]


def check_names(config: EvaluationConfig, methods: Sequence[str]) -> None:
    """Refuse observables and a reference that there are not, before anything runs."""
    for key in ("unfold", "drawn"):
        names = getattr(config, key)
        check_known(f"evaluation.{key}", [] if names == "all" else names, list(OBSERVABLES))
    check_known("evaluation.bins", config.bins, metrics.BINNED)
    if config.reference is not None:
        check_known("evaluation.reference", [config.reference], methods)


def evaluate(
    events: Events, reconstructors: Sequence[Reconstructor], config: EvaluationConfig, seed: int
) -> Evaluation:
    """Compare methods on the same events; parameters and errors are those of `assess`."""
    return assess(events, reconstructors, config, seed).evaluation


def assess(
    events: Events,
    reconstructors: Sequence[Reconstructor],
    config: EvaluationConfig,
    seed: int,
    collisions: Collisions | None = None,
) -> Assessment:
    """Compare methods on the same events, and keep what each said of them.

    All metrics are weighted by the event weight; `DEFINITIONS` beside the metrics says what they
    are. All methods share the bootstrap replicas.

    Parameters
    ----------
    events
        Simulated events that no method has been trained on.
    reconstructors
        The methods, in the order of the tables.
    config
        Bins, replicas and whose neutrinos complete m(ttbar); `config.methods` is not looked at.
    seed
        Decides the bootstrap, permutations and samples of posteriors.
    collisions
        They are only looked at: nothing is measured with them.

    Raises
    ------
    InputError
        There are no events, no truth, or no event with both b jets matched; or a method
        may not be applied to them.
    UsageError
        Two methods have one name, `config.neutrinos` names none that has any, or `config` names
        an observable or a reference that there is not.
    """
    check_names(config, [method.name for method in reconstructors])
    sample = sample_of(events, config.btag_min)
    candidates = candidates_of(events, reconstructors, config.neutrinos)
    reference = config.reference or candidates[0].name
    names = [candidate.name for candidate in candidates]
    statistics: dict[str, CellStatistic] = {
        f"{candidate.name}/{quantity}": statistic
        for candidate in candidates
        for quantity, statistic in metrics.statistics_of(candidate, sample, config.bins).items()
    }
    matched = everywhere(sample.matched)
    for first, second in permutations(candidates, 2):
        only_first = metrics.both_right(first, sample) & ~metrics.both_right(second, sample)
        statistics[f"{first.name}/right_not/{second.name}"] = Shares(only_first, matched, 1)
    found = bootstrap(statistics, events.weight, config.replicas, seed)
    drawn = tuple(OBSERVABLES) if config.drawn == "all" else tuple(config.drawn)
    shown = next((candidate for candidate in candidates if candidate.is_evaluated), None)
    spectra = spectra_of(drawn, candidates, collisions, events, config) if collisions else {}
    evaluation = Evaluation(
        events=len(events),
        matched_events=int(np.sum(sample.matched)),
        sum_of_weights=float(np.sum(events.weight)),
        effective_events=effective_events(events.weight),
        folds=tuple(np.unique(events.fold).tolist()),
        replicas=config.replicas,
        seed=seed,
        energy_tev=config.energy_tev,
        reference=reference,
        drawn=drawn,
        truth=distributions.truth_distributions(sample),
        methods=tuple(
            _result(candidate, sample, found, reference, config, seed, spectra)
            for candidate in candidates
        ),
        comparisons=comparisons({name: metrics.METRICS[name] for name in COMPARED}, found, names),
        complements=tuple(
            Complement(right, wrong, found[f"{right}/right_not/{wrong}"].estimate())
            for right, wrong in permutations(names, 2)
        ),
        displays=distributions.displays_of(shown, sample, config.displays) if shown else (),
        true_leptons=events.true_leptons is not None,
        processes=distributions.processes_of(collisions, events) if collisions else (),
    )
    return Assessment(evaluation, sample, candidates)


def _result(
    candidate: Candidate,
    sample: EventsWithTruth,
    found: Mapping[str, Replicated],
    reference: str,
    config: EvaluationConfig,
    seed: int,
    spectra: Mapping[str, dict[str, Spectrum]],
) -> MethodResult:
    mine = f"{candidate.name}/"
    estimates = {
        name.removeprefix(mine): each for name, each in found.items() if name.startswith(mine)
    }

    def in_bins(quantity: str) -> dict[str, Binned]:
        return {
            name: estimates[f"{quantity}_by_{name}"].binned(edges)
            for name, edges in config.bins.items()
        }

    by_score = estimates.get("accuracy_by_score")
    importance: tuple[Importance, ...] = ()
    if config.importance_events and hasattr(candidate.method, "parameters"):
        importance = importances(candidate.method, sample.events, config.importance_events, seed)
    return MethodResult(
        name=candidate.name,
        description=candidate.description or UNDER_EVALUATION,
        neutrinos_of=candidate.neutrinos_of,
        metrics=metrics.metrics_of(estimates),
        accuracy_by=in_bins("accuracy"),
        selection_by=in_bins("selection"),
        relative_accuracy_by={
            name: estimates[f"accuracy_by_{name}"]
            .over(found[f"{reference}/accuracy_by_{name}"])
            .binned(edges)
            for name, edges in config.bins.items()
        },
        confusion=distributions.confusion(candidate, sample),
        observables={
            each.name: distributions.observable_of(
                each, candidate, sample, estimates[f"{each.name}_in_bins"]
            )
            for each in metrics.observables_of(candidate)
        },
        scores=distributions.scores_of(candidate, sample, by_score) if by_score else None,
        coverage=coverage(candidate, sample, config, seed),
        importance=importance,
        cost=candidate.cost,
        spectra=spectra.get(candidate.name, {}),
    )
