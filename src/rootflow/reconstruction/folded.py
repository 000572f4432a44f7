"""The models of all folds as one: every event reconstructed by the one that has not seen it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rootflow.config import FoldingConfig
from rootflow.dataset.events import Events
from rootflow.dataset.folds import fold_of
from rootflow.dataset.seen import of_one_name, refuse_other_folds
from rootflow.errors import UsageError
from rootflow.reconstruction.contract import (
    NetworkOutputs,
    Posterior,
    Reconstruction,
    TrainedReconstructor,
)
from rootflow.reconstruction.decode import decode, joined
from rootflow.reconstruction.network import KerasReconstructor


class FoldedReconstructor:
    """k models, each trained without one of the k folds.

    Parameters
    ----------
    name
        Under which metrics are logged.
    models
        That at place k has not seen fold k.

    Raises
    ------
    UsageError
        There is not one model for each fold, or one has seen the fold of its place.
    """

    def __init__(self, name: str, models: Sequence[TrainedReconstructor]) -> None:
        if not models:
            raise UsageError(f"{name}: no model; one is needed for each fold")
        first = models[0].folds
        self.name = name
        self.folds = FoldingConfig(count=first.count, scheme=first.scheme)
        self._models = tuple(models)
        refuse_other_folds(name, [model.folds for model in models], self.folds)

    @classmethod
    def of_trainings(cls, directories: Sequence[Path], name: str | None = None) -> Self:
        """Return the networks of finished trainings, one of each fold, in whichever order.

        Parameters
        ----------
        directories
            Theirs.
        name
            Under which metrics are logged; none: as all were called when they were trained.

        Raises
        ------
        InputError
            One of the trainings is not finished or cannot be read, or there is none.
        UsageError
            They are not of one model, one for each fold.
        """
        models = of_one_name(
            KerasReconstructor.of_training(directory, name=name) for directory in directories
        )
        return cls(models[0].name, models)

    @property
    def parameters(self) -> int | None:
        """How many numbers were fitted in each of the models, None where that is not known."""
        return self._models[0].parameters

    def reconstruct(self, events: Events) -> Reconstruction:
        """Return what the models say, each event by the one that has not seen it.

        Raises
        ------
        InputError
            The events do not have the features or the number of slots that the models take.
        """
        return decode(self.outputs(events), events.jet_mask)

    def outputs(self, events: Events) -> NetworkOutputs:
        """Return what the models say; errors as of `reconstruct`."""
        chosen, back = self._unseen(events)
        parts = [
            model.outputs(events.take(index))
            for model, index in zip(self._models, chosen, strict=True)
        ]
        return joined(parts).take(back)

    @property
    def has_posterior(self) -> bool:
        """Whether the models give a density of the neutrinos' momenta."""
        return all(getattr(model, "has_posterior", False) for model in self._models)

    def posterior(self, events: Events, samples: int, seed: int) -> Posterior:
        """Return samples of the neutrinos' momenta, each event's by the model that has not seen it.

        Raises
        ------
        UsageError
            A model has no density of the neutrinos; see `KerasReconstructor.posterior`.
        InputError
            As of `reconstruct`.
        """
        chosen, back = self._unseen(events)
        parts = [
            model.posterior(events.take(index), samples, seed)
            for model, index in zip(self._with_density(), chosen, strict=True)
        ]
        return Posterior(*(np.concatenate(arrays)[back] for arrays in zip(*parts, strict=True)))

    def log_density(self, events: Events, neutrinos: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the logarithm (n,) of the density at momenta (n, 2, 3) in GeV, per GeV^6.

        Raises
        ------
        UsageError, InputError
            As of `posterior`.
        """
        chosen, back = self._unseen(events)
        parts = [
            model.log_density(events.take(index), neutrinos[index])
            for model, index in zip(self._with_density(), chosen, strict=True)
        ]
        return np.concatenate(parts)[back]

    def _with_density(self) -> list[KerasReconstructor]:
        models = [model for model in self._models if isinstance(model, KerasReconstructor)]
        if len(models) < len(self._models):
            raise UsageError(f"{self.name}: an exported file has no density of the neutrinos")
        return models

    def _unseen(self, events: Events) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
        """Return where the events of each fold are, and where each event is among those."""
        fold = fold_of(events.fold_numbers, self.folds)
        chosen = [np.flatnonzero(fold == place) for place in range(self.folds.count)]
        return chosen, np.argsort(np.concatenate(chosen))
