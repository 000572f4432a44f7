"""Settings of a study: what is varied, what is wanted of it, and how it is searched."""

import math
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from rootflow.config.block import Block, Name

Value = bool | int | float | str
MOST_POINTS = 1_000_000  # of a grid
# Settings that are the study's own, or that decide what its trials are compared on.
NOT_SEARCHED = ("analysis", "output", "tracking", "tune", "data.folds", "data.files")


class ParameterConfig(Block):
    """What all parameters have in common."""

    when: dict[str, list[Value]] = Field(
        default_factory=dict,
        description="path of another parameter: the values with which this one is searched",
    )


class FloatConfig(ParameterConfig):
    """A number between two others."""

    type: Literal["float"]
    low: float
    high: float
    log: bool = Field(False, description="search evenly in the logarithm")
    step: PositiveFloat | None = Field(None, description="grid of allowed values, from low on")

    @model_validator(mode="after")
    def _range_is_one(self) -> Self:
        _check_range(self.low, self.high, self.log)
        if self.log and self.step is not None:
            raise ValueError("step and log exclude each other")
        if self.step is not None and not (self.high - self.low) / self.step < MOST_POINTS:
            raise ValueError(f"step: the grid has more than {MOST_POINTS:,} points")
        return self

    @property
    def ends(self) -> list[Value]:
        """The extreme values."""
        return [self.low, self.high if self.step is None else self.grid()[-1]]

    def grid(self) -> list[float]:
        """Return the allowed values; without a step they are no grid."""
        if self.step is None:
            raise TypeError("the grid sampler needs a step")
        # In decimal numbers, as they are written and as Optuna counts: 0.1 + 2 x 0.1 is 0.3.
        low, high, step = (Decimal(str(number)) for number in (self.low, self.high, self.step))
        return [float(low + number * step) for number in range(int((high - low) // step) + 1)]


class IntConfig(ParameterConfig):
    """A whole number between two others, these included."""

    type: Literal["int"]
    low: int
    high: int
    log: bool = Field(False, description="search evenly in the logarithm")
    step: PositiveInt = 1

    @model_validator(mode="after")
    def _range_is_one(self) -> Self:
        _check_range(self.low, self.high, self.log)
        if self.log and self.step != 1:
            raise ValueError("step and log exclude each other")
        if (self.high - self.low) % self.step:
            raise ValueError(f"high is not low plus a multiple of step, {self.step}")
        return self

    @property
    def ends(self) -> list[Value]:
        """The extreme values."""
        return [self.low, self.high]


class CategoricalConfig(ParameterConfig):
    """One of several values."""

    type: Literal["categorical"]
    choices: list[Value] = Field(min_length=1)

    @property
    def ends(self) -> list[Value]:
        """All values."""
        return list(self.choices)


ParameterKind = Annotated[FloatConfig | IntConfig | CategoricalConfig, Field(discriminator="type")]


class ObjectiveConfig(Block):
    """A metric, and where it should go."""

    metric: str = Field(description="of the training's best epoch, or of what `then` names")
    direction: Literal["minimize", "maximize"]


class SamplerConfig(Block):
    """What proposes the next trial."""

    name: Literal["tpe", "random", "grid", "cmaes"] = "tpe"
    startup_trials: NonNegativeInt = Field(
        10, description="at random, before tpe or cmaes learns from what there is"
    )


class PrunerConfig(Block):
    """What ends trials that do not promise much."""

    name: Literal["none", "median", "hyperband"] = "none"
    metric: str | None = Field(
        None,
        description="of each epoch, of the first fold; none: the objective's, "
        "without best_ before it",
    )
    startup_trials: NonNegativeInt = Field(5, description="finished before median prunes any")
    warmup_epochs: NonNegativeInt = Field(1, description="of each trial that median leaves alone")
    reduction_factor: int = Field(3, ge=2, description="of hyperband")


class TuningConfig(Block):
    """A study: trials of the configuration with other values at some of its paths."""

    name: Name = Field("study", description="of the study; another question needs another name")
    space: dict[str, ParameterKind] = Field(
        min_length=1, description="path in the configuration: the values to try there"
    )
    objectives: list[ObjectiveConfig] = Field(min_length=1)
    sampler: SamplerConfig = SamplerConfig()
    pruner: PrunerConfig = PrunerConfig()
    trials: PositiveInt = Field(
        20, le=1_000_000, description="finished, pruned and failed ones together"
    )
    parallel: PositiveInt = Field(2, le=10_000, description="trials that are submitted at a time")
    reproducible: bool = Field(
        True,
        description="trials count in the order of their numbers, so that the same seed proposes "
        "the same ones however long each takes; false: no slot waits for an older trial",
    )
    folds: PositiveInt = Field(
        1, description="held out in turn in each trial; its metrics are means over them"
    )
    then: list[Literal["evaluate", "export"]] = Field(
        default_factory=list, description="steps after the training whose metrics count, too"
    )
    storage: str | None = Field(
        None, description="Optuna's database URL; none: a journal in the study's directory"
    )
    profile: Path | None = Field(None, description="of the batch system; none: this machine")
    retries: NonNegativeInt = Field(
        1, description="of a trial whose job was removed, or ended without a result"
    )
    failures: PositiveInt = Field(5, description="so many failed trials in a row end the study")
    poll_seconds: PositiveFloat = Field(2.0, description="between two looks at the jobs")
    quiet_seconds: NonNegativeFloat = Field(
        30.0, description="that a finished job's files may take to appear"
    )

    @model_validator(mode="after")
    def _conditions_hang_together(self) -> Self:
        for path, parameter in self.space.items():
            for condition, values in parameter.when.items():
                place = f"space.{path}.when.{condition}"
                if condition not in self.space:
                    raise ValueError(f"{place}: is not a parameter of the space")
                other = self.space[condition]
                impossible = [
                    value
                    for value in values
                    if isinstance(other, CategoricalConfig) and value not in other.choices
                ]
                if impossible:
                    raise ValueError(f"{place}: {impossible[0]!r} is not one of its choices")
        list(self.in_order())
        return self

    @model_validator(mode="after")
    def _paths_may_be_searched(self) -> Self:
        for path in self.space:
            for forbidden in NOT_SEARCHED:
                if path == forbidden or path.startswith(f"{forbidden}."):
                    raise ValueError(f"space.{path}: {forbidden} is the same for all trials")
        return self

    @model_validator(mode="after")
    def _search_is_possible(self) -> Self:
        if len(self.objectives) > 1 and self.pruner.name != "none":
            raise ValueError("pruner: a study of several objectives prunes nothing: write none")
        if len(self.objectives) > 1 and self.sampler.name == "cmaes":
            raise ValueError("sampler: cmaes takes a single objective")
        names = [objective.metric for objective in self.objectives]
        if len(set(names)) < len(names):
            raise ValueError("objectives: each metric can be named once")
        if self.sampler.name in ("grid", "cmaes"):
            self._refuse_conditions()
        if self.sampler.name == "grid":
            for path, parameter in self.space.items():
                if isinstance(parameter, FloatConfig) and parameter.step is None:
                    raise ValueError(f"space.{path}: the grid sampler needs a step")
            sizes = map(_number_of_points, self.space.values())
            if not math.prod(sizes) <= MOST_POINTS:
                raise ValueError(f"space: the grid has more than {MOST_POINTS:,} points")
        return self

    def _refuse_conditions(self) -> None:
        for path, parameter in self.space.items():
            if parameter.when:
                raise ValueError(
                    f"space.{path}.when: the {self.sampler.name} sampler takes no conditions: "
                    "use tpe or random"
                )

    def in_order(self) -> Iterator[tuple[str, ParameterKind]]:
        """Yield the parameters, each after those of its conditions.

        Raises
        ------
        ValueError
            Conditions go round in a circle.
        """
        yielded: set[str] = set()
        left = dict(self.space)
        while left:
            ready = [path for path, parameter in left.items() if set(parameter.when) <= yielded]
            if not ready:
                raise ValueError(f"space: the conditions of {', '.join(left)} form a circle")
            for path in ready:
                yield path, left.pop(path)
                yielded.add(path)

    def grid(self) -> dict[str, list[Value]]:
        """Return all values of each parameter of a grid."""
        return {path: _points(parameter) for path, parameter in self.space.items()}

    def number_of_trials(self) -> int:
        """Return how many trials there will be: a grid has no more than its points."""
        if self.sampler.name != "grid":
            return self.trials
        return min(self.trials, math.prod(len(values) for values in self.grid().values()))


def _points(parameter: ParameterKind) -> list[Value]:
    match parameter:
        case CategoricalConfig(choices=choices):
            return list(choices)
        case IntConfig(low=low, high=high, step=step):
            return list(range(low, high + 1, step))
        case FloatConfig():
            return list(parameter.grid())


def _number_of_points(parameter: ParameterKind) -> float:
    match parameter:
        case CategoricalConfig(choices=choices):
            return len(choices)
        case IntConfig(low=low, high=high, step=step):
            return (high - low) // step + 1
        case FloatConfig(low=low, high=high, step=float(step)):
            return (high - low) / step + 1
    return math.inf


def _check_range(low: float, high: float, log: bool) -> None:
    if low >= high:
        raise ValueError(f"low, {low:g}, is not below high, {high:g}")
    if not math.isfinite(high - low):
        raise ValueError(f"from low, {low:g}, to high, {high:g}, is further than numbers go")
    if log and low <= 0:
        raise ValueError(f"low, {low:g}, has no logarithm")
