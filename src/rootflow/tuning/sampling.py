"""What proposes trials, and what ends them early."""

import hashlib
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import (
    BaseSampler,
    CmaEsSampler,
    GridSampler,
    RandomSampler,
    TPESampler,
)

from rootflow.config import Config, TuningConfig

SEEDS = 2**31
EPOCHS = "training.epochs"


class _Grid(GridSampler):
    """A grid; when all of it is done, the driver ends the study, not the sampler."""

    def after_trial(
        self,
        study: optuna.Study,
        trial: optuna.trial.FrozenTrial,
        state: optuna.trial.TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Do nothing."""


def make_sampler(tune: TuningConfig, seed: int, number: int) -> BaseSampler:
    """Return the sampler of one trial.

    Its seed comes from the study's and the trial's number, so that a study that was
    interrupted proposes what it would have proposed.
    """
    of_trial = int.from_bytes(hashlib.sha256(f"{seed} {number}".encode()).digest()[:4]) % SEEDS
    match tune.sampler.name:
        case "tpe":
            return TPESampler(
                n_startup_trials=tune.sampler.startup_trials,
                multivariate=True,
                group=any(parameter.when for parameter in tune.space.values()),
                constant_liar=True,
                seed=of_trial,
            )
        case "random":
            return RandomSampler(seed=of_trial)
        case "grid":
            return _Grid(tune.grid(), seed=seed)  # its order is the same for all trials
        case "cmaes":
            return CmaEsSampler(
                n_startup_trials=tune.sampler.startup_trials,
                independent_sampler=RandomSampler(seed=of_trial),
                warn_independent_sampling=False,
                seed=of_trial,
            )


def make_pruner(config: Config, tune: TuningConfig) -> BasePruner:
    """Return the pruner, which counts epochs."""
    match tune.pruner.name:
        case "none":
            return NopPruner()
        case "median":
            return MedianPruner(
                n_startup_trials=tune.pruner.startup_trials,
                n_warmup_steps=tune.pruner.warmup_epochs + 1,  # epochs count from 1
            )
        case "hyperband":
            return HyperbandPruner(
                min_resource=1,
                max_resource=_most_epochs(config, tune),
                reduction_factor=tune.pruner.reduction_factor,
            )


def _most_epochs(config: Config, tune: TuningConfig) -> int:
    varied: Any = tune.space.get(EPOCHS)
    return int(max(varied.ends())) if varied is not None else config.training.epochs
