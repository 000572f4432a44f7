"""What an analysis is, and finding one by its name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import entry_points
from typing import Any, ClassVar, Literal

from rootflow.errors import UsageError

GROUP = "rootflow.analyses"
TaskName = Literal["reconstruction", "classification"]
Answer = Literal["dataset", "network", "trees", "application"]
# A module and a name in it; None: all that the module has.
Place = tuple[str, str | None]


class Analysis(ABC):
    """All that rootflow asks of an analysis: rooms and steps know none by its name.

    A package adds one as an entry point of the group `rootflow.analyses`: its name, and a
    subclass of one of those in `rootflow.analyses.tasks`. Methods import what they need when
    they are called: the command line, jobs and workers start without it.
    """

    name: ClassVar[str]  # as `analysis` in the configuration
    task: ClassVar[TaskName]  # what its models learn
    config: ClassVar[type[Any]]  # a subclass of that of the task in `rootflow.config`

    def processes(self, config: Any) -> Mapping[str, Any]:
        """Return what `simulate` can make, by the name of the sample that it becomes.

        Nothing, where the configuration says nothing of a simulation.
        """
        simulation = getattr(config, "simulation", None)
        return {name: simulation.of(name) for name in simulation.events} if simulation else {}

    def sample_files(self, config: Any) -> Mapping[str, tuple[str, Sequence[str]]]:
        """Return by sample the setting that names its files, and what it says."""
        return {
            name: (f"data.samples.{name}.files", sample.files)
            for name, sample in config.data.samples.items()
        }

    @property
    @abstractmethod
    def reading(self) -> Any:
        """What it adds to reading: a subclass of `rootflow.dataset.reading.Reading`."""

    @abstractmethod
    def make_task(self, dataset: Any, config: Any, folds: Any) -> Any:
        """Return what a network is to learn, a `rootflow.training.task.Task`."""

    def given(self, config: Any, features: Any) -> Any:  # noqa: ARG002
        """Return which features of a dataset the arrays have that models are given: all."""
        return features

    @abstractmethod
    def decides(self, config: Any) -> Mapping[str, Any]:
        """Return, as plain data, settings that decide a model beside those of all analyses."""

    @property
    @abstractmethod
    def steps(self) -> Any:
        """How models are evaluated, and two of them compared: a module of `rootflow.steps`."""

    @abstractmethod
    def code(self, answer: Answer) -> Sequence[Place]:
        """Return code that decides an answer, beside what all analyses share."""


@cache
def analysis_named(name: str) -> Analysis:
    """Return the analysis of a name; of another a UsageError lists those that there are."""
    known = {found.name: found for found in sorted(entry_points(group=GROUP))}
    if name not in known:
        raise UsageError(f"'{name}' is none of {', '.join(known)}")
    try:
        made: Analysis = known[name].load()()
        if not isinstance(made, Analysis) or made.name != name or not hasattr(made, "config"):
            raise TypeError(
                f"no subclass of rootflow's Analysis with the name '{name}' and a config"
            )
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(
            f"the analysis {name} of {known[name].value} is broken: {reason}"
        ) from error
    return made
