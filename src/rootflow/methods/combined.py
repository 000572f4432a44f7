"""Several models as one: those of all folds, the mean of several, and answers used twice."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.dataset.folds import fold_of, refuse_other_folds
from rootflow.errors import InputError, UsageError
from rootflow.methods.contract import Method, Outputs, Posterior
from rootflow.methods.model import Model, next_fold, of_folds, over
from rootflow.methods.trained import TrainedMethod


class FoldedMethod(Model):
    """k models, of which that at place k was trained without fold k."""

    def __init__(self, name: str, models: Sequence[TrainedMethod]) -> None:
        if not models:
            raise UsageError(f"{name}: no model; one is needed for each fold")
        self.name = name
        self.folds = models[0].folds.folding
        self._models = tuple(models)
        self.task = models[0].task
        self.parameters = models[0].parameters  # of each
        refuse_other_folds(name, [model.folds for model in models], self.folds)

    @classmethod
    def of_trainings(cls, directories: Sequence[Path], name: str | None = None) -> Self:
        """Return the models of finished trainings, one of each fold, in whichever order.

        Without a name it is as all were called when they were trained.
        """
        found = (TrainedMethod.of_training(directory, name=name) for directory in directories)
        models = sorted(found, key=lambda model: model.folds.held_out)
        if not models:
            raise InputError("no training is named: give the folders of those of all folds")
        names = sorted({model.name for model in models})
        if len(names) > 1:
            raise UsageError(f"trainings of several models, {', '.join(names)}: give those of one")
        return cls(models[0].name, models)

    def outputs(self, events: Events) -> Outputs:
        """Return what the models say, each event by the one that was not trained on it."""
        return self._said(events, lambda model, index: model.outputs(events.take(index)))

    def outputs_seen(self, events: Events) -> Outputs:
        """Return the same by the model of the next fold, which was trained on the event."""
        return of_folds(
            next_fold(events, self.folds),
            self._models,
            lambda model, index: model.outputs_of_any(events.take(index)),
        )

    @property
    def has_posterior(self) -> bool:
        """Whether the models give a density of the neutrinos' momenta."""
        return all(model.has_posterior for model in self._models)

    def posterior(self, events: Events, samples: int, seed: int) -> Posterior:
        """Return samples of the neutrinos' momenta, as of `TrainedMethod.posterior`."""
        said = self._said(
            events,
            lambda model, index: model.posterior(events.take(index), samples, seed)._asdict(),
        )
        return Posterior(**said)

    def log_density(self, events: Events, neutrinos: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the logarithm (n,) of the density, as of `TrainedMethod.log_density`."""
        said = self._said(
            events,
            lambda model, index: {
                "log_density": model.log_density(events.take(index), neutrinos[index])
            },
        )
        return said["log_density"]

    def _said(
        self, events: Events, ask: Callable[[TrainedMethod, NDArray[np.int64]], Outputs]
    ) -> Outputs:
        return of_folds(fold_of(events.fold_numbers, self.folds), self._models, ask)


def of_trainings(name: str, directories: Sequence[Path]) -> Model:
    """Return the model of one training, or those of all folds as one."""
    if len(directories) == 1:
        return TrainedMethod.of_training(directories[0], name=name)
    return FoldedMethod.of_trainings(directories, name)


class EnsembleMethod(Model):
    """A deep ensemble: models that were trained each by itself, as from other first weights.

    What it says is the mean of what they say, of the outputs that all of them have (B.
    Lakshminarayanan et al., arXiv:1612.01474, section 2.4: the prediction is that of the uniform
    mixture). The models are two at least, each of which may be applied to the same events.
    """

    def __init__(self, name: str, models: Sequence[Model]) -> None:
        self.name = name
        self._models = tuple(models)
        self.task = models[0].task
        known = [model.parameters for model in models if model.parameters is not None]
        self.parameters = sum(known) if len(known) == len(models) else None  # of all
        self.description = f"the mean of {', '.join(model.name for model in models)}"

    def outputs(self, events: Events) -> Outputs:
        """Return the mean of what the models say."""
        return over(np.mean, [model.outputs(events) for model in self._models])

    def outputs_seen(self, events: Events) -> Outputs | None:
        """Return the mean of what they say of events of their training, None where one cannot."""
        found = [model.outputs_seen(events) for model in self._models]
        said = [outputs for outputs in found if outputs is not None]
        return over(np.mean, said) if len(said) == len(found) else None


class Remembering:
    """A method that remembers what it last said, for methods that are made of it.

    It has all that the method has: its parameters, its posterior.
    """

    def __init__(self, method: Method[Any]) -> None:
        self.name = method.name
        self._method = method
        self._last: tuple[Events, Any] | None = None

    def __getattr__(self, attribute: str) -> Any:
        # Only asked for what is not found here; a copy that is not filled yet has no method.
        if attribute == "_method":
            raise AttributeError(attribute)
        return getattr(self._method, attribute)

    def answer(self, events: Events) -> Any:
        """Return what the method says; of the very same events, without asking again."""
        if self._last is None or self._last[0] is not events:
            self._last = (events, self._method.answer(events))
        return self._last[1]


def model_of(method: Method[Any]) -> Model:
    """Return the method as a model, or refuse it."""
    if not hasattr(method, "outputs"):
        raise UsageError(f"{method.name} is no trained model: an ensemble is made of such")
    return cast(Model, method)
