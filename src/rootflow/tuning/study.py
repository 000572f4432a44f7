"""Optuna's study: where it is kept, what it asks, and the values that it proposes."""

import fcntl
import hashlib
import itertools
import math
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, CmaEsSampler, GridSampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.storages.journal._file import BaseJournalFileLock
from optuna.trial import BaseTrial, FixedTrial
from sqlalchemy.exc import SQLAlchemyError

from rootflow.config import Config, TuningConfig, change
from rootflow.config.tuning import CategoricalConfig, FloatConfig, ParameterKind, Value
from rootflow.errors import UsageError
from rootflow.secrets import hidden
from rootflow.tuning.question import agree
from rootflow.tuning.storage import open_database

Values = dict[str, Value]

SEEDS = 2**31
EPOCHS = "training.epochs"
MOST_CORNERS = 1024
DRAWS = 256


class _Grid(GridSampler):
    """A grid; when all of it is done, the driver ends the study, not the sampler."""

    def after_trial(self, *_: Any, **__: Any) -> None:
        """Do nothing."""


def make_sampler(tune: TuningConfig, seed: int, number: int) -> BaseSampler:
    """Return the sampler of a trial, seeded by its number: interrupted studies go on the same."""
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
            varied: Any = tune.space.get(EPOCHS)
            return HyperbandPruner(
                min_resource=1,
                max_resource=int(max(varied.ends())) if varied else config.training.epochs,
                reduction_factor=tune.pruner.reduction_factor,
            )


def suggest(trial: BaseTrial, tune: TuningConfig) -> Values:
    """Return the trial's value of each parameter whose conditions hold, by path."""
    values: Values = {}
    for path, parameter in tune.in_order():
        conditions = parameter.when.items()
        if all(other in values and values[other] in allowed for other, allowed in conditions):
            values[path] = _suggest_one(trial, path, parameter)
    return values


def with_values(config: Config, values: Mapping[str, Value]) -> Config:
    """Return the configuration of a trial: other values, and no study."""
    try:
        return change(config.model_copy(update={"tune": None}), values)
    except UsageError as error:
        chosen = ", ".join(f"{path}={value}" for path, value in values.items())
        raise UsageError(f"tune.space: {error} (with {chosen})") from None


def check(config: Config, tune: TuningConfig) -> None:
    """Try corners of the space, and random points of it, on the configuration's schema.

    Above 1,024 corners, those of each pair of parameters with the others at their first end.
    """
    for ends in _corners(tune):
        with_values(config, suggest(FixedTrial(ends), tune))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    random = optuna.create_study(sampler=RandomSampler(config.seed))
    for _ in range(DRAWS):
        with_values(config, suggest(random.ask(), tune))


def _suggest_one(trial: BaseTrial, path: str, parameter: ParameterKind) -> Value:
    if isinstance(parameter, CategoricalConfig):
        chosen: Value = trial.suggest_categorical(path, parameter.choices)  # type: ignore[assignment]
        return chosen
    if isinstance(parameter, FloatConfig):
        low, high = parameter.ends()  # Optuna warns of an end that is not on the grid
        return trial.suggest_float(path, low, high, step=parameter.step, log=parameter.log)
    low, high = parameter.low, parameter.high
    return trial.suggest_int(path, low, high, step=parameter.step, log=parameter.log)


def _corners(tune: TuningConfig) -> Iterator[Values]:
    ends = {path: parameter.ends() for path, parameter in tune.space.items()}
    if math.prod(len(each) for each in ends.values()) <= MOST_CORNERS:
        for corner in itertools.product(*ends.values()):
            yield dict(zip(ends, corner, strict=True))
        return
    first = {path: each[0] for path, each in ends.items()}
    for one, other in itertools.combinations(ends, 2):
        for values in itertools.product(ends[one], ends[other]):
            yield {**first, one: values[0], other: values[1]}


DIRECTORY = "rootflow.directory"
LOCK, JOURNAL = "driver.lock", "study.journal"


def place_of(config: Config, tune: TuningConfig) -> Path:
    """Return the directory of the configured study."""
    return (config.output / "studies" / tune.name).resolve()


def storage_name(tune: TuningConfig, place: Path) -> str:
    """Return where Optuna keeps the study, as `optuna-dashboard` takes it with its password."""
    return hidden(tune.storage or str(place / JOURNAL))


def open_study(config: Config, tune: TuningConfig, place: Path) -> optuna.Study:
    """Make the study or find it again; one of another question or directory is refused."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    place.mkdir(parents=True, exist_ok=True)
    try:
        study = optuna.create_study(
            study_name=tune.name,
            storage=storage_of(tune.storage, place),
            directions=[objective.direction for objective in tune.objectives],
            pruner=make_pruner(config, tune),
            load_if_exists=True,
        )
    except (SQLAlchemyError, ImportError) as error:
        reason = hidden(str(error).splitlines()[0].replace(str(tune.storage), "the URL"))
        raise UsageError(f"tune.storage: cannot be opened: {reason}") from None
    agree(study, config, tune)
    kept = study.user_attrs.get(DIRECTORY)
    if kept is None:
        study.set_user_attr(DIRECTORY, str(place))
    elif kept != str(place):
        raise UsageError(
            f"study '{study.study_name}' is there already: it belongs to another directory ({kept})"
        )
    return study


def storage_of(url: str | None, place: Path) -> BaseStorage:
    """Return the database of a URL, or the journal in a study's directory."""
    if url is None:
        before = place / "study.db"
        if before.exists():
            raise UsageError(
                f"{before}: a study of an earlier rootflow: go on with it by "
                f"tune.storage=sqlite:///{before}, or give this one another tune.name"
            )
        _mend(place / JOURNAL)
        return JournalStorage(JournalFileBackend(str(place / JOURNAL), _NoLock()))
    return open_database(url)


class _NoLock(BaseJournalFileLock):
    """The driver is alone; Optuna's own locks do not let an interrupt through as what it is."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


def _mend(journal: Path) -> None:
    """Leave out what a driver that was killed wrote in part."""
    if journal.exists() and not (content := journal.read_bytes()).endswith(b"\n"):
        with journal.open("r+b") as file:
            file.truncate(content.rfind(b"\n") + 1)


@contextmanager
def only_driver(place: Path) -> Iterator[None]:
    """Keep other drivers from the study, on whichever machine; where one is at work, refuse."""
    place.mkdir(parents=True, exist_ok=True)
    with (place / LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise UsageError(
                f"{place}: another driver is at work on this study "
                f"({lock.read().strip()}): wait for it or stop it"
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {platform.node()}\n")
        lock.flush()
        yield
