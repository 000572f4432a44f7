"""The networks and trees of finished trainings, each for events that it was not trained on."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from rootflow.config import FoldsConfig
from rootflow.dataset.events import Events, Features
from rootflow.dataset.folds import EVENTS_AT_ONCE, batches, fold_of, refuse_seen, taken_by
from rootflow.errors import UsageError
from rootflow.methods.contract import Floats, Outputs, Posterior
from rootflow.methods.model import Model, over
from rootflow.training.record import load_fitted, read_record

if TYPE_CHECKING:  # TensorFlow takes seconds
    from rootflow.methods.reconstruction.posterior import NeutrinoDensity


class TrainedMethod(Model):
    """A network or trees, applied to the events of the fold that they were not trained on.

    The model is what `load_fitted` gives, and `features` are the names along
    the last axis of each input that it was trained with. With `allow_seen_events` it also answers
    events of the training's folds, as for a look at over-training.
    """

    def __init__(
        self,
        name: str,
        model: Any,
        folds: FoldsConfig,
        features: Features,
        *,
        allow_seen_events: bool = False,
    ) -> None:
        self.name = name
        self.folds = folds
        self._model = model
        self._is_network = hasattr(model, "predict_on_batch")
        self._takes = [*(model.input if self._is_network else model.takes)]
        self.parameters, self._slots = None, None
        if self._is_network:
            self.task = "reconstruction" if "assignment" in model.output else "classification"
            self.parameters = int(sum(np.prod(each.shape) for each in model.trainable_weights))
            self._slots = model.input["jet_mask"].shape[1] if "jet_mask" in self._takes else None
        else:
            self.task, self._slots = model.task, model.slots
        self._features = {name: features[name] for name in self._takes if features.get(name)}
        self._allow_seen_events = allow_seen_events

    @classmethod
    def of_training(
        cls, directory: Path, *, name: str | None = None, allow_seen_events: bool = False
    ) -> Self:
        """Return the model of a finished training, with the folds of its record.

        Without a name it is as it was called when it was trained.
        """
        record = read_record(directory)
        return cls(
            name or record.model.name,
            load_fitted(directory),
            record.folds,
            record.features,
            allow_seen_events=allow_seen_events,
        )

    def outputs(self, events: Events) -> Outputs:
        """Return what the model says; errors as of `answer`."""
        return self._outputs(self._taken(events))

    def outputs_of_any(self, events: Events) -> Outputs:
        """Return the same of any events, those that it was trained on among them."""
        return self._outputs(self._taken(events, seen=True))

    @property
    def has_posterior(self) -> bool:
        """Whether it gives a density of the neutrinos' momenta."""
        if self.task != "reconstruction" or not self._is_network:
            return False
        from rootflow.models.neutrinos.heads import FlowNeutrinos

        return any(isinstance(layer, FlowNeutrinos) for layer in self._model.layers)

    def posterior(self, events: Events, samples: int, seed: int) -> Posterior:
        """Return samples of the density of the neutrinos' momenta, and where it is how high.

        An event's samples are a matter of the seed, its file and its number, not of the
        other events. The network works on parts of bounded size; the answer takes 28 bytes for
        each sample of each event.
        """
        return self._density.posterior(self._taken(events), samples, seed)

    def log_density(self, events: Events, neutrinos: NDArray[np.floating]) -> Floats:
        """Return the logarithm (n,) of the density at momenta (n, 2, 3) in GeV, per GeV^6."""
        return self._density.log_density(self._taken(events), neutrinos)

    @functools.cached_property
    def _density(self) -> "NeutrinoDensity":
        if not self.has_posterior:
            raise UsageError(
                f"{self.name} gives the neutrinos' momenta without a density: "
                "train it with model.neutrinos.head=flow"
            )
        from rootflow.methods.reconstruction.posterior import NeutrinoDensity

        return NeutrinoDensity(self._model)

    def _taken(self, events: Events, *, seen: bool = False) -> Events:
        taken = taken_by(self.name, events, self._features, self._slots)
        if not seen and not self._allow_seen_events:
            fold = fold_of(events.fold_numbers, self.folds)
            refuse_seen(self.name, fold, self.folds, [self.folds.held_out])
        return taken

    def _outputs(self, events: Events) -> Outputs:
        return over(np.concatenate, [self._outputs_of_batch(batch) for batch in batches(events)])

    def _outputs_of_batch(self, events: Events) -> Outputs:
        inputs = events.inputs()
        if not self._is_network:
            said: Outputs = self._model.outputs(inputs)
            return said
        # One shape for every batch: another one would be traced anew, and might be
        # summed in another order.
        full = {name: filled_up(inputs[name]) for name in self._takes}
        outputs = self._model.predict_on_batch(full)
        return {name: np.asarray(values)[: len(events)] for name, values in outputs.items()}


def filled_up(array: NDArray[Any]) -> NDArray[Any]:
    """Return as many rows as a batch has, copies where there are too few."""
    shape = (EVENTS_AT_ONCE, *array.shape[1:])
    return np.resize(array, shape) if len(array) else np.ones(shape, array.dtype)
