"""The values of a trial: suggested by Optuna, allowed by the configuration."""

import itertools
import math
import random
from collections.abc import Callable, Iterator, Mapping

import optuna

from rootflow.config import CategoricalConfig, Config, FloatConfig, TuningConfig, change
from rootflow.config.tuning import ParameterKind, Value
from rootflow.errors import UsageError

Values = dict[str, Value]

MOST_CORNERS = 1024
DRAWS = 256


def suggest(trial: optuna.Trial, tune: TuningConfig) -> Values:
    """Return the trial's value of each parameter whose conditions hold, by path."""
    return _walk(tune, lambda path, parameter: _suggest_one(trial, path, parameter))


def with_values(config: Config, values: Mapping[str, Value]) -> Config:
    """Return the configuration of a trial: other values, and no study.

    Raises
    ------
    UsageError
        A path is not known, or the values do not go together.
    """
    try:
        return change(config.model_copy(update={"tune": None}), values)
    except UsageError as error:
        chosen = ", ".join(f"{path}={value}" for path, value in values.items())
        raise UsageError(f"tune.space: {error} (with {chosen})") from None


def check(config: Config, tune: TuningConfig) -> None:
    """Try the corners of the space, and random points of it, on the configuration's schema.

    All corners where there are up to 1,024, else those of each pair of parameters with
    the others at their first end.

    Raises
    ------
    UsageError
        A path is not known, or values do not go together: which ones is said.
    """
    for ends in _corners(tune):
        with_values(config, _walk(tune, _taken_from(ends)))
    generator = random.Random(config.seed)  # noqa: S311 - no secret is made of it
    for _ in range(DRAWS):
        with_values(config, _walk(tune, lambda _, parameter: _draw(generator, parameter)))


def _walk(tune: TuningConfig, choose: Callable[[str, ParameterKind], Value]) -> Values:
    values: Values = {}
    for path, parameter in tune.in_order():
        if all(path in values and values[path] in allowed
               for path, allowed in parameter.when.items()):  # fmt: skip
            values[path] = choose(path, parameter)
    return values


def _taken_from(ends: Values) -> Callable[[str, ParameterKind], Value]:
    return lambda path, _: ends[path]


def _suggest_one(trial: optuna.Trial, path: str, parameter: ParameterKind) -> Value:
    if isinstance(parameter, CategoricalConfig):
        chosen: Value = trial.suggest_categorical(path, parameter.choices)  # type: ignore[assignment]
        return chosen
    if isinstance(parameter, FloatConfig):
        # Optuna warns of an end that is not on the grid, in each trial.
        end = parameter.high if parameter.step is None else parameter.grid()[-1]
        return trial.suggest_float(path, parameter.low, end, step=parameter.step, log=parameter.log)
    return trial.suggest_int(
        path, parameter.low, parameter.high, step=parameter.step, log=parameter.log
    )


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


def _draw(generator: random.Random, parameter: ParameterKind) -> Value:
    if isinstance(parameter, CategoricalConfig):
        return generator.choice(parameter.choices)
    if isinstance(parameter, FloatConfig):
        if parameter.step is not None:
            return generator.choice(parameter.grid())
        return generator.uniform(parameter.low, parameter.high)
    return generator.randrange(parameter.low, parameter.high + 1, parameter.step)
