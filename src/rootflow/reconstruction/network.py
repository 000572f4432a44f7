"""A Keras model that keeps the Reconstructor contract."""

import functools
from pathlib import Path
from typing import Self

import keras
import numpy as np
from numpy.typing import NDArray

from rootflow.config import FoldsConfig
from rootflow.dataset.events import Events, Features
from rootflow.dataset.seen import (
    batches,
    refuse_other_arrays,
    refuse_seen,
)
from rootflow.errors import InputError
from rootflow.models import known_neutrinos, load_model
from rootflow.models.neutrinos.flow import FlowNeutrinos
from rootflow.reconstruction.contract import Floats, NetworkOutputs, Posterior, Reconstruction
from rootflow.reconstruction.decode import decode, joined
from rootflow.reconstruction.posterior import NeutrinoDensity, filled_up
from rootflow.training import RECORD, read_record


class KerasReconstructor:
    """A trained network, applied to the events that it has not seen.

    Parameters
    ----------
    name
        The model's configured name.
    model
        What `rootflow.models` builds: a dict of raw inputs to a dict of `assignment` and
        `neutrinos`.
    folds
        The folds that it was trained with; `held_out` is the one that it has not seen.
    features
        Names along the last axis of each input that it was trained with, in their order.
    allow_seen_events
        Also reconstruct events of the training's folds, as for a look at overtraining.
    """

    def __init__(
        self,
        name: str,
        model: keras.Model,
        folds: FoldsConfig,
        features: Features,
        *,
        allow_seen_events: bool = False,
    ) -> None:
        self.name = name
        self._model = model
        self.folds = folds
        self._features = features
        self._allow_seen_events = allow_seen_events

    @classmethod
    def of_training(
        cls, directory: Path, *, name: str | None = None, allow_seen_events: bool = False
    ) -> Self:
        """Return the network of a finished training, with the folds of its record.

        Parameters
        ----------
        directory
            The training's own folder.
        name
            Under which its metrics are logged; none: as it was called when it was trained.

        Raises
        ------
        InputError
            There is no finished training, or its record or its network cannot be read.
        """
        record = read_record(directory)
        if record is None:
            raise InputError(f"{directory}: no finished training: there is no {RECORD}")
        return cls(
            name or record.model.name,
            load_model(directory / record.model_file),
            record.folds,
            record.features,
            allow_seen_events=allow_seen_events,
        )

    @property
    def parameters(self) -> int:
        """How many numbers were fitted."""
        return int(sum(np.prod(weight.shape) for weight in self._model.trainable_weights))

    def reconstruct(self, events: Events) -> Reconstruction:
        """Return the network's most probable assignment and its neutrinos.

        Raises
        ------
        InputError
            The network was trained on the fold of some of the events, or the events do
            not have the features or the number of slots that it takes.
        """
        return decode(self.outputs(events), events.jet_mask)

    def outputs(self, events: Events) -> NetworkOutputs:
        """Return what the network says; errors as of `reconstruct`."""
        self._refuse_wrong(events)
        return joined([self._outputs(batch) for batch in batches(events)])

    @property
    def has_posterior(self) -> bool:
        """Whether it gives a density of the neutrinos' momenta."""
        return isinstance(known_neutrinos(self._model)[0], FlowNeutrinos)

    def posterior(self, events: Events, samples: int, seed: int) -> Posterior:
        """Return samples of the density of the neutrinos' momenta, and where it is how high.

        An event's samples are a matter of the seed, its file and its number, not of the
        other events. The network works on parts of bounded size; the answer takes 28 bytes for
        each sample of each event.

        Raises
        ------
        UsageError
            The network has no density of the neutrinos: it was not trained with the flow.
        InputError
            As of `reconstruct`.
        """
        self._refuse_wrong(events)
        return self._density.posterior(events, samples, seed)

    def log_density(self, events: Events, neutrinos: NDArray[np.floating]) -> Floats:
        """Return the logarithm (n,) of the density at momenta (n, 2, 3) in GeV, per GeV^6.

        Raises
        ------
        UsageError, InputError
            As of `posterior`.
        """
        self._refuse_wrong(events)
        return self._density.log_density(events, neutrinos)

    @functools.cached_property
    def _density(self) -> NeutrinoDensity:
        return NeutrinoDensity(self.name, self._model)

    def _refuse_wrong(self, events: Events) -> None:
        max_jets = self._model.input["jet_mask"].shape[1]
        refuse_other_arrays(self.name, events, self._features, max_jets)
        if not self._allow_seen_events:
            refuse_seen(self.name, events, self.folds)

    def _outputs(self, events: Events) -> NetworkOutputs:
        # One shape for every batch: another one would be traced anew, and might be
        # summed in another order.
        count = len(events)
        full = {name: filled_up(array) for name, array in events.inputs().items()}
        said = self._model.predict_on_batch(full)
        return NetworkOutputs(
            np.asarray(said["assignment"])[:count],
            np.asarray(said["neutrinos"])[:count],
            np.asarray(said["confidence"])[:count] if "confidence" in said else None,
        )
