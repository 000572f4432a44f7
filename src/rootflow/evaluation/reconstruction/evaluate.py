"""From events and methods to an evaluation."""

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np

from rootflow.config import EvaluationConfig
from rootflow.dataset.events import Events
from rootflow.errors import UsageError
from rootflow.evaluation.bootstrap import CellStatistic, Replicated, bootstrap
from rootflow.evaluation.cell_statistics import Shares, everywhere
from rootflow.evaluation.paired import comparisons
from rootflow.evaluation.reconstruction.collisions import (
    Collisions,
    processes_of,
    spectra_of,
)
from rootflow.evaluation.reconstruction.coverage import coverage, has_posterior
from rootflow.evaluation.reconstruction.displays import displays_of
from rootflow.evaluation.reconstruction.distributions import (
    confusion,
    distribution_of,
    residual_histogram,
    score_histograms,
    truth_distributions,
)
from rootflow.evaluation.reconstruction.metrics import (
    METRICS,
    SCORE_EDGES,
    has_probabilities,
    metrics_of,
    observables_of,
    right,
    statistics_of,
)
from rootflow.evaluation.reconstruction.migration import migration_of
from rootflow.evaluation.reconstruction.observables import OBSERVABLES, Observable
from rootflow.evaluation.reconstruction.permutation import importances
from rootflow.evaluation.reconstruction.results import (
    UNDER_EVALUATION,
    Complement,
    Display,
    Evaluation,
    MethodResult,
    ObservableResult,
    ScoreResult,
)
from rootflow.evaluation.reconstruction.sample import Candidate, Sample, candidates_of, sample_of
from rootflow.evaluation.results import Binned, Comparison, Spectrum
from rootflow.methods.contract import Reconstructor

BINNED_BESIDE_OBSERVABLES = ("jets", "btags", "met")
# In what every two methods are compared.
COMPARED = ("assignment_accuracy", "selection_accuracy", "mtt_resolution")


class Assessment(NamedTuple):
    """An evaluation with the events and answers that it was made from."""

    evaluation: Evaluation
    sample: Sample
    candidates: list[Candidate]


def check_names(config: EvaluationConfig, methods: Sequence[str]) -> None:
    """Refuse observables and a reference that there are not, before anything runs.

    Raises
    ------
    UsageError
        It says where, and what there is.
    """
    for key in ("unfold", "drawn"):
        names = getattr(config, key)
        _require(f"evaluation.{key}", [] if names == "all" else names, OBSERVABLES)
    _require("evaluation.bins", config.bins, [*BINNED_BESIDE_OBSERVABLES, *OBSERVABLES])
    if config.reference is not None:
        _require("evaluation.reference", [config.reference], methods)


def _require(key: str, names: Sequence[str] | Mapping[str, object], known: object) -> None:
    allowed = list(known)  # type: ignore[call-overload]
    for name in names:
        if name not in allowed:
            raise UsageError(f"{key}: '{name}' is none of {', '.join(allowed)}")


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
        Of the bootstrap, of permutations and of samples of posteriors.
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
    found = _replicated(candidates, sample, config, seed)
    names = [candidate.name for candidate in candidates]
    drawn = tuple(OBSERVABLES) if config.drawn == "all" else tuple(config.drawn)
    spectra = (
        _spectra(drawn, candidates, reconstructors, events, collisions, config)
        if collisions
        else {}
    )
    sum_of_weights = float(np.sum(events.weight))
    evaluation = Evaluation(
        events=len(events),
        matched_events=int(np.sum(sample.matched)),
        sum_of_weights=sum_of_weights,
        effective_events=sum_of_weights**2 / float(np.sum(events.weight**2)),
        folds=tuple(np.unique(events.fold).tolist()),
        replicas=config.replicas,
        seed=seed,
        energy_tev=config.energy_tev,
        reference=reference,
        drawn=drawn,
        truth=truth_distributions(sample),
        methods=tuple(
            _result(
                candidate,
                method,
                sample,
                found,
                reference,
                config,
                seed,
                spectra.get(candidate.name, {}),
            )
            for candidate, method in zip(candidates, reconstructors, strict=True)
        ),
        comparisons=_comparisons(names, found),
        complements=tuple(
            Complement(first, second, found[f"{first}/right_not/{second}"].estimate())
            for first, second in permutations(names, 2)
        ),
        displays=_displays(candidates, sample, config.displays),
        true_leptons=events.true_leptons is not None,
        processes=processes_of(collisions, events) if collisions else (),
    )
    return Assessment(evaluation, sample, candidates)


def _spectra(
    drawn: Sequence[str],
    candidates: Sequence[Candidate],
    reconstructors: Sequence[Reconstructor],
    events: Events,
    collisions: Collisions,
    config: EvaluationConfig,
) -> dict[str, dict[str, Spectrum]]:
    """Return the spectra of methods with neutrinos of their own that are no classic ones."""
    looking = [
        place
        for place, each in enumerate(candidates)
        if each.neutrinos_of == each.name and each.description is None
    ]
    chosen = [reconstructors[place] for place in looking]
    neutrinos = config.neutrinos if config.neutrinos in ("model", "none") else "model"
    observed = candidates_of(collisions.events, chosen, neutrinos)
    return {
        each.name: spectra_of(drawn, candidates[place], each, collisions, events)
        for place, each in zip(looking, observed, strict=True)
    }


def _replicated(
    candidates: Sequence[Candidate], sample: Sample, config: EvaluationConfig, seed: int
) -> dict[str, Replicated]:
    """Return all statistics by METHOD/QUANTITY."""
    statistics: dict[str, CellStatistic] = {
        f"{candidate.name}/{quantity}": statistic
        for candidate in candidates
        for quantity, statistic in statistics_of(candidate, sample, config.bins).items()
    }
    matched = everywhere(sample.matched)
    for first, second in permutations(candidates, 2):
        only_first = right(first, sample) & ~right(second, sample)
        statistics[f"{first.name}/right_not/{second.name}"] = Shares(only_first, matched, 1)
    return bootstrap(statistics, sample.events.weight, config.replicas, seed)


def _comparisons(names: Sequence[str], found: Mapping[str, Replicated]) -> tuple[Comparison, ...]:
    made: tuple[Comparison, ...] = ()
    for metric in COMPARED:
        quantity, at, better = METRICS[metric]
        of_methods = {n: found[f"{n}/{quantity}"] for n in names if f"{n}/{quantity}" in found}
        made += comparisons(metric, of_methods, better, at=at)
    return made


def _result(
    candidate: Candidate,
    method: Reconstructor,
    sample: Sample,
    found: Mapping[str, Replicated],
    reference: str,
    config: EvaluationConfig,
    seed: int,
    spectra: dict[str, Spectrum],
) -> MethodResult:
    mine = f"{candidate.name}/"
    estimates = {
        name.removeprefix(mine): each for name, each in found.items() if name.startswith(mine)
    }
    is_network = hasattr(method, "parameters")
    return MethodResult(
        name=candidate.name,
        description=candidate.description or UNDER_EVALUATION,
        neutrinos_of=candidate.neutrinos_of,
        metrics=metrics_of(estimates),
        accuracy_by={
            name: estimates[f"accuracy_by_{name}"].binned(edges)
            for name, edges in config.bins.items()
        },
        selection_by={
            name: estimates[f"selection_by_{name}"].binned(edges)
            for name, edges in config.bins.items()
        },
        relative_accuracy_by={
            name: _relative(f"accuracy_by_{name}", candidate.name, reference, edges, found)
            for name, edges in config.bins.items()
        },
        confusion=confusion(candidate, sample),
        observables={
            observable.name: _observable(observable, candidate, sample, estimates)
            for observable in observables_of(candidate)
        },
        scores=_scores(candidate, sample, estimates),
        coverage=coverage(
            method,
            candidate,
            sample,
            config.posterior_events,
            config.posterior_samples,
            config.replicas,
            seed,
        )
        if config.posterior_events and candidate.decay is not None and has_posterior(method)
        else {},
        importance=importances(method, sample.events, config.importance_events, seed)
        if is_network and config.importance_events
        else (),
        cost=candidate.cost,
        spectra=spectra,
    )


def _relative(
    quantity: str,
    name: str,
    reference: str,
    edges: Sequence[float],
    found: Mapping[str, Replicated],
) -> Binned:
    ours, theirs = found[f"{name}/{quantity}"], found[f"{reference}/{quantity}"]
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = Replicated(ours.values / theirs.values, ours.replicas / theirs.replicas)
    return quotient.binned(edges)


def _observable(
    observable: Observable,
    candidate: Candidate,
    sample: Sample,
    estimates: Mapping[str, Replicated],
) -> ObservableResult:
    both, count = estimates[f"{observable.name}_in_bins"], len(observable.bins) - 1
    bias, resolution = (
        both.part(part).binned(observable.bins) for part in (slice(count), slice(count, None))
    )
    return ObservableResult(
        residuals=residual_histogram(observable, candidate, sample),
        bias=bias,
        resolution=resolution,
        distribution=distribution_of(observable, candidate, sample),
        migration=migration_of(observable, candidate, sample),
    )


def _scores(
    candidate: Candidate, sample: Sample, estimates: Mapping[str, Replicated]
) -> ScoreResult | None:
    if not has_probabilities(candidate, sample):
        return None
    both_right, wrong = score_histograms(candidate, sample)
    return ScoreResult(both_right, wrong, estimates["accuracy_by_score"].binned(SCORE_EDGES))


def _displays(candidates: Sequence[Candidate], sample: Sample, count: int) -> tuple[Display, ...]:
    """Return events of the first method with neutrinos of its own that is no classic one."""
    for candidate in candidates:
        own = candidate.neutrinos_of == candidate.name
        if own and candidate.description is None:
            return tuple(displays_of(candidate, sample, count))
    return ()
