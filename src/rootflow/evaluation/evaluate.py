"""From events and methods to an evaluation."""

from collections.abc import Mapping, Sequence

import numpy as np

from rootflow.config import EvaluationConfig
from rootflow.dataset.events import Events
from rootflow.evaluation.bootstrap import Estimates, estimate
from rootflow.evaluation.distributions import (
    mtt_histogram,
    mtt_migration,
    neutrino_histograms,
    score_histograms,
)
from rootflow.evaluation.metrics import (
    JET_EDGES,
    SCORE_EDGES,
    has_probabilities,
    metrics_of,
    statistics_of,
)
from rootflow.evaluation.plain import binned
from rootflow.evaluation.results import (
    UNDER_EVALUATION,
    Evaluation,
    MethodResult,
    MttResult,
    ScoreResult,
)
from rootflow.evaluation.sample import Candidate, Sample, candidates_of, sample_of
from rootflow.reconstruction.contract import Reconstructor


def evaluate(
    events: Events, reconstructors: Sequence[Reconstructor], config: EvaluationConfig, seed: int
) -> Evaluation:
    """Compare methods on the same events.

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
        Of the bootstrap.

    Raises
    ------
    InputError
        There are no events, no truth, or no event with both b jets matched; or a method
        may not be applied to them.
    UsageError
        Two methods have one name, or `config.neutrinos` names none that has any.
    """
    sample = sample_of(events)
    candidates = candidates_of(sample, reconstructors, config.neutrinos)
    edges = {"jets": JET_EDGES, "top_pt": config.top_pt_edges, "mtt": config.mtt_edges}
    estimates = estimate(
        {
            f"{candidate.name}/{quantity}": statistic
            for candidate in candidates
            for quantity, statistic in statistics_of(candidate, sample, edges).items()
        },
        events.weight,
        config.replicas,
        seed,
    )
    sum_of_weights = float(np.sum(events.weight))
    return Evaluation(
        events=len(events),
        matched_events=int(np.sum(sample.matched)),
        sum_of_weights=sum_of_weights,
        effective_events=sum_of_weights**2 / float(np.sum(events.weight**2)),
        folds=tuple(np.unique(events.fold).tolist()),
        replicas=config.replicas,
        seed=seed,
        energy_tev=config.energy_tev,
        methods=tuple(
            _result(candidate, sample, _of(candidate.name, estimates), edges)
            for candidate in candidates
        ),
    )


def _of(name: str, estimates: Mapping[str, Estimates]) -> dict[str, Estimates]:
    return {
        quantity.removeprefix(f"{name}/"): found
        for quantity, found in estimates.items()
        if quantity.startswith(f"{name}/")
    }


def _result(
    candidate: Candidate,
    sample: Sample,
    estimates: Mapping[str, Estimates],
    edges: Mapping[str, Sequence[float]],
) -> MethodResult:
    metrics = metrics_of(estimates)
    has_neutrinos, has_mtt = "neutrino_px_bias" in metrics, "mtt_bias" in metrics
    has_scores = has_probabilities(candidate, sample)
    return MethodResult(
        name=candidate.name,
        description=candidate.description or UNDER_EVALUATION,
        neutrinos_of=candidate.neutrinos_of,
        metrics=metrics,
        accuracy_by_jets=binned(estimates["accuracy_by_jets"], edges["jets"]),
        accuracy_by_top_pt=binned(estimates["accuracy_by_top_pt"], edges["top_pt"]),
        accuracy_by_mtt=binned(estimates["accuracy_by_mtt"], edges["mtt"]),
        neutrino_residuals=neutrino_histograms(candidate, sample) if has_neutrinos else {},
        mtt=_mtt(candidate, sample, estimates, edges["mtt"]) if has_mtt else None,
        scores=_scores(candidate, sample, estimates) if has_scores else None,
    )


def _mtt(
    candidate: Candidate,
    sample: Sample,
    estimates: Mapping[str, Estimates],
    edges: Sequence[float],
) -> MttResult:
    in_bins = [estimates[f"mtt_in_bin_{number}"] for number in range(len(edges) - 1)]
    values = np.stack([found.values for found in in_bins], axis=1)
    errors = np.stack([found.errors for found in in_bins], axis=1)
    bias, resolution = (
        binned(Estimates(*pair), edges) for pair in zip(values, errors, strict=True)
    )
    migration = mtt_migration(candidate, sample, edges)
    return MttResult(mtt_histogram(candidate, sample), bias, resolution, migration)


def _scores(
    candidate: Candidate, sample: Sample, estimates: Mapping[str, Estimates]
) -> ScoreResult:
    right, wrong = score_histograms(candidate, sample)
    return ScoreResult(right, wrong, binned(estimates["accuracy_by_score"], SCORE_EDGES))
