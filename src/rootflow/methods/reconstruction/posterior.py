"""The density of the neutrinos' momenta that a network with a flow gives."""

from typing import Any, cast

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.dataset.folds import batches
from rootflow.methods.contract import Floats, Posterior
from rootflow.methods.reconstruction.objects import normal_numbers
from rootflow.methods.trained import filled_up
from rootflow.models.neutrinos import known_neutrinos
from rootflow.models.neutrinos.coordinates import Seen
from rootflow.models.neutrinos.heads import COMPONENTS, FlowNeutrinos

SAMPLES_AT_ONCE = 32


class NeutrinoDensity:
    """The density of a network with a flow, applied in parts of one shape."""

    def __init__(self, network: keras.Model) -> None:
        known, seen = known_neutrinos(network)
        head = cast(FlowNeutrinos, known)
        noise = keras.Input((SAMPLES_AT_ONCE, COMPONENTS), name="noise")
        momenta = keras.Input((2, 3), name="true_momenta")
        self._heavier = head.heavier

        def draw(given: Seen) -> dict[str, Any]:
            neutrinos = head.sample(given, given["noise"])
            return {"neutrinos": neutrinos, "log_density": head.log_density(given, neutrinos)}

        def measure(given: Seen) -> Any:
            return head.log_density(given, ops.expand_dims(given["true_momenta"], 1))[:, 0]

        self._draw = keras.Model(
            {**network.input, "noise": noise}, layers.Lambda(draw)({**seen, "noise": noise})
        )
        self._measure = keras.Model(
            {**network.input, "true_momenta": momenta},
            layers.Lambda(measure)({**seen, "true_momenta": momenta}),
        )

    def posterior(self, events: Events, samples: int, seed: int) -> Posterior:
        """Return so many samples of each event."""
        neutrinos = np.empty((len(events), samples, 2, 3), np.float32)
        log_density = np.empty((len(events), samples), np.float32)
        places = np.arange(-(-samples // SAMPLES_AT_ONCE) * SAMPLES_AT_ONCE * COMPONENTS)
        parts = places.reshape(-1, SAMPLES_AT_ONCE, COMPONENTS)
        done = 0
        for batch in batches(events):
            inputs, those = _full(batch), slice(done, done + len(batch))
            for number, part in enumerate(parts):
                drawn = slice(number * SAMPLES_AT_ONCE, (number + 1) * SAMPLES_AT_ONCE)
                kept = min(samples - drawn.start, SAMPLES_AT_ONCE)
                noise = filled_up(self._heavier(normal_numbers(batch, seed, part)))
                said = self._draw.predict_on_batch({**inputs, "noise": noise})
                neutrinos[those, drawn] = said["neutrinos"][: len(batch), :kept]
                log_density[those, drawn] = said["log_density"][: len(batch), :kept]
            done += len(batch)
        return Posterior(neutrinos, log_density)

    def log_density(self, events: Events, neutrinos: NDArray[np.floating]) -> Floats:
        """Return the logarithm (n,) of the density at momenta (n, 2, 3) in GeV, per GeV^6."""
        found, done = [], 0
        for batch in batches(events):
            momenta = filled_up(neutrinos[done : done + len(batch)].astype(np.float32))
            said = self._measure.predict_on_batch({**_full(batch), "true_momenta": momenta})
            found.append(said[: len(batch)])
            done += len(batch)
        return np.concatenate(found)


def _full(events: Events) -> dict[str, NDArray[Any]]:
    return {name: filled_up(array) for name, array in events.inputs().items()}
