"""A network without its padding: the same layers for fewer jets."""

import functools
from collections.abc import Mapping

import keras

from rootflow.models.kinematics import Tensor

PADDED = ("jets", "jet_mask")


class Trimming(keras.Model):  # type: ignore[misc]
    """A network that takes as many jet slots as there are, whatever it was built for.

    Most slots of a padded event are empty. What is said of the jets that are there is the
    same; the layers, and so the weights, which must not depend on the number of slots, are those
    of the network.
    """

    def __init__(self, network: keras.Model) -> None:
        super().__init__(name=network.name)
        self.network = network
        # A function, not a dict: Keras would count the layers of each copy.
        self._for_jets = functools.cache(functools.partial(with_slots, network))

    def call(self, inputs: Mapping[str, Tensor], training: bool = False) -> dict[str, Tensor]:
        """Return what the network says of events of J slots."""
        outputs: dict[str, Tensor] = self._for_jets(inputs["jets"].shape[1])(
            dict(inputs), training=training
        )
        return outputs


def with_slots(network: keras.Model, jets: int) -> keras.Model:
    """Return the same layers as a network for events of so many jet slots."""
    inputs = {
        name: keras.Input(
            (jets, *tensor.shape[2:]) if name in PADDED else tensor.shape[1:],
            dtype=tensor.dtype,
            name=name,
        )
        for name, tensor in network.input.items()
    }
    return keras.models.clone_model(
        network, input_tensors=inputs, clone_function=lambda layer: layer
    )
