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


class NumberConfig(ParameterConfig):
    """What numbers have in common."""

    low: float
    high: float
    log: bool = Field(False, description="search evenly in the logarithm")
    step: float | None = None

    @model_validator(mode="after")
    def _range_is_one(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low, {self.low:g}, is not below high, {self.high:g}")
        if not math.isfinite(self.high - self.low):
            raise ValueError(
                f"from low, {self.low:g}, to high, {self.high:g}, is further than numbers go"
            )
        if self.log and self.low <= 0:
            raise ValueError(f"low, {self.low:g}, has no logarithm")
        if self.log and self.step != type(self).model_fields["step"].default:
            raise ValueError("step and log exclude each other")
        return self

    def ends(self) -> list[float]:
        """Return the extreme values."""
        return [self.low, self.high]


class FloatConfig(NumberConfig):
    """A number between two others."""

    type: Literal["float"]
    step: PositiveFloat | None = Field(None, description="grid of allowed values, from low on")

    @model_validator(mode="after")
    def _grid_is_not_endless(self) -> Self:
        if self.step is not None and not self.count() < MOST_POINTS + 1:
            raise ValueError(f"step: the grid has more than {MOST_POINTS:,} points")
        return self

    def ends(self) -> list[float]:
        """Return the extreme values: high, too, is one of the grid."""
        return [self.low, self.high if self.step is None else self.grid()[-1]]

    def grid(self) -> list[float]:
        """Return the allowed values of one with a step."""
        # In decimal numbers, as they are written and as Optuna counts: 0.1 + 2 x 0.1 is 0.3.
        low, high, step = (Decimal(str(number)) for number in (self.low, self.high, self.step))
        return [float(low + number * step) for number in range(int((high - low) // step) + 1)]

    def count(self) -> float:
        """Return how many values there are."""
        return math.inf if self.step is None else (self.high - self.low) / self.step + 1


class IntConfig(NumberConfig):
    """A whole number between two others, these included."""

    type: Literal["int"]
    low: int
    high: int
    step: PositiveInt = 1

    @model_validator(mode="after")
    def _high_is_on_the_grid(self) -> Self:
        if (self.high - self.low) % self.step:
            raise ValueError(f"high is not low plus a multiple of step, {self.step}")
        return self

    def grid(self) -> list[int]:
        """Return the allowed values."""
        return list(range(self.low, self.high + 1, self.step))

    def count(self) -> float:
        """Return how many values there are."""
        return (self.high - self.low) // self.step + 1


class CategoricalConfig(ParameterConfig):
    """One of several values."""

    type: Literal["categorical"]
    choices: list[Value] = Field(min_length=1)

    def grid(self) -> list[Value]:
        """Return the allowed values."""
        return list(self.choices)

    def ends(self) -> list[Value]:
        """Return all values."""
        return self.grid()

    def count(self) -> float:
        """Return how many values there are."""
        return len(self.choices)


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
        None,
        description="Optuna's database URL, in which $NAME stands for a variable of the "
        "environment; none: a journal in the study's directory",
    )
    start_from: str | None = Field(
        None,
        min_length=1,
        description="study whose finished trials are taken over, as far as they lie in this "
        "space: its name, or its directory",
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
                choices = other.choices if isinstance(other, CategoricalConfig) else values
                for value in values:
                    if value not in choices:
                        raise ValueError(f"{place}: {value!r} is not one of its choices")
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
        is_grid = self.sampler.name == "grid"
        if is_grid and self.start_from is not None:
            raise ValueError("start_from: a grid asks for each of its points in any case")
        for path, parameter in self.space.items():
            if (is_grid or self.sampler.name == "cmaes") and parameter.when:
                raise ValueError(
                    f"space.{path}.when: the {self.sampler.name} sampler takes no conditions: "
                    "use tpe or random"
                )
            if is_grid and math.isinf(parameter.count()):
                raise ValueError(f"space.{path}: the grid sampler needs a step")
        sizes = [parameter.count() for parameter in self.space.values()]
        if is_grid and math.prod(sizes) > MOST_POINTS:
            raise ValueError(f"space: the grid has more than {MOST_POINTS:,} points")
        return self

    def in_order(self) -> Iterator[tuple[str, ParameterKind]]:
        """Yield the parameters, each after those of its conditions; ValueError of a circle."""
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
        return {path: list(parameter.grid()) for path, parameter in self.space.items()}

    def number_of_trials(self) -> int:
        """Return how many trials there will be: a grid has no more than its points."""
        if self.sampler.name != "grid":
            return self.trials
        return min(self.trials, math.prod(len(values) for values in self.grid().values()))
