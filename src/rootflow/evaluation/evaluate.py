"""From events and methods to an evaluation."""

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np

from rootflow.config import EvaluationConfig
from rootflow.dataset.events import Events
from rootflow.errors import UsageError
from rootflow.evaluation.bootstrap import Estimates, FloatArray, standard_deviation
from rootflow.evaluation.comparison import comparisons
from rootflow.evaluation.coverage import coverage, has_posterior
from rootflow.evaluation.displays import displays_of
from rootflow.evaluation.distributions import (
    confusion,
    distribution_of,
    residual_histogram,
    score_histograms,
    truth_distributions,
)
from rootflow.evaluation.metrics import (
    SCORE_EDGES,
    has_probabilities,
    metrics_of,
    observables_of,
    right,
    statistics_of,
)
from rootflow.evaluation.migration import migration_of
from rootflow.evaluation.observables import OBSERVABLES, Observable
from rootflow.evaluation.permutation import importances
from rootflow.evaluation.plain import binned, single
from rootflow.evaluation.results import (
    UNDER_EVALUATION,
    Binned,
    Complement,
    Display,
    Evaluation,
    MethodResult,
    ObservableResult,
    ScoreResult,
)
from rootflow.evaluation.sample import Candidate, Sample, candidates_of, sample_of
from rootflow.evaluation.tallies import Shares, everywhere
from rootflow.evaluation.tally import Tally, estimates_of, tally
from rootflow.reconstruction.contract import Reconstructor

BINNED_BESIDE_OBSERVABLES = ("jets", "btags", "met")


class Assessment(NamedTuple):
    """An evaluation with the events and answers that it was made from."""

    evaluation: Evaluation
    sample: Sample
    candidates: list[Candidate]


class _Bootstrap(NamedTuple):
    """All statistics by METHOD/QUANTITY, in the sample and in the replicas."""

    statistics: dict[str, Tally]
    replicated: dict[str, FloatArray]
    estimates: dict[str, Estimates]

    def of(self, name: str) -> dict[str, Estimates]:
        """Return those of one method, by quantity."""
        return {
            quantity.removeprefix(f"{name}/"): found
            for quantity, found in self.estimates.items()
            if quantity.startswith(f"{name}/")
        }


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
    events: Events, reconstructors: Sequence[Reconstructor], config: EvaluationConfig, seed: int
) -> Assessment:
    """Compare methods on the same events, and keep what each said of them.

    All metrics are weighted by the event weight; `rootflow.evaluation.metrics.DEFINITIONS`
    says what they are. All methods share the bootstrap replicas.

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
    candidates = candidates_of(sample, reconstructors, config.neutrinos)
    reference = config.reference or candidates[0].name
    found = _bootstrap(candidates, sample, config, seed)
    names = [candidate.name for candidate in candidates]
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
        drawn=tuple(OBSERVABLES) if config.drawn == "all" else tuple(config.drawn),
        truth=truth_distributions(sample),
        methods=tuple(
            _result(candidate, method, sample, found, reference, config, seed)
            for candidate, method in zip(candidates, reconstructors, strict=True)
        ),
        comparisons=comparisons(names, found.statistics, found.replicated, events.weight),
        complements=tuple(
            Complement(first, second, single(found.estimates[f"{first}/right_not/{second}"]))
            for first, second in permutations(names, 2)
        ),
        displays=_displays(candidates, sample, config.displays),
        true_leptons=events.true_leptons is not None,
    )
    return Assessment(evaluation, sample, candidates)


def _bootstrap(
    candidates: Sequence[Candidate], sample: Sample, config: EvaluationConfig, seed: int
) -> _Bootstrap:
    statistics = {
        f"{candidate.name}/{quantity}": statistic
        for candidate in candidates
        for quantity, statistic in statistics_of(candidate, sample, config.bins).items()
    }
    matched = everywhere(sample.matched)
    for first, second in permutations(candidates, 2):
        only_first = right(first, sample) & ~right(second, sample)
        statistics[f"{first.name}/right_not/{second.name}"] = Shares(only_first, matched, 1)
    weight = sample.events.weight
    replicated = tally(statistics, weight, config.replicas, seed)
    return _Bootstrap(statistics, replicated, estimates_of(statistics, replicated, weight))


def _result(
    candidate: Candidate,
    method: Reconstructor,
    sample: Sample,
    found: _Bootstrap,
    reference: str,
    config: EvaluationConfig,
    seed: int,
) -> MethodResult:
    estimates = found.of(candidate.name)
    is_network = hasattr(method, "parameters")
    return MethodResult(
        name=candidate.name,
        description=candidate.description or UNDER_EVALUATION,
        neutrinos_of=candidate.neutrinos_of,
        metrics=metrics_of(estimates),
        accuracy_by={
            name: binned(estimates[f"accuracy_by_{name}"], edges)
            for name, edges in config.bins.items()
        },
        selection_by={
            name: binned(estimates[f"selection_by_{name}"], edges)
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
    )


def _relative(
    quantity: str, name: str, reference: str, edges: Sequence[float], found: _Bootstrap
) -> Binned:
    ours, theirs = f"{name}/{quantity}", f"{reference}/{quantity}"
    with np.errstate(divide="ignore", invalid="ignore"):
        value = found.estimates[ours].values / found.estimates[theirs].values
        replicas = found.replicated[ours] / found.replicated[theirs]
    return binned(Estimates(value, standard_deviation(replicas)), edges)


def _observable(
    observable: Observable,
    candidate: Candidate,
    sample: Sample,
    estimates: Mapping[str, Estimates],
) -> ObservableResult:
    both, count = estimates[f"{observable.name}_in_bins"], len(observable.bins) - 1
    bias, resolution = (
        binned(Estimates(both.values[part], both.errors[part]), observable.bins)
        for part in (slice(count), slice(count, None))
    )
    return ObservableResult(
        residuals=residual_histogram(observable, candidate, sample),
        bias=bias,
        resolution=resolution,
        distribution=distribution_of(observable, candidate, sample),
        migration=migration_of(observable, candidate, sample),
    )


def _scores(
    candidate: Candidate, sample: Sample, estimates: Mapping[str, Estimates]
) -> ScoreResult | None:
    if not has_probabilities(candidate, sample):
        return None
    both_right, wrong = score_histograms(candidate, sample)
    return ScoreResult(both_right, wrong, binned(estimates["accuracy_by_score"], SCORE_EDGES))


def _displays(candidates: Sequence[Candidate], sample: Sample, count: int) -> tuple[Display, ...]:
    """Return events of the first method with neutrinos of its own that is no classic one."""
    for candidate in candidates:
        own = candidate.neutrinos_of == candidate.name
        if own and candidate.description is None:
            return tuple(displays_of(candidate, sample, count))
    return ()
