"""The network that is fitted: the one to keep, with the truth beside and losses as outputs.

A loss may need any input, any truth and any layer, so each is an output, one number for each
event; Keras weighs the events and adds the losses. `Trimming` takes events without their padding.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from rootflow.models.architectures import JOINT
from rootflow.models.kinematics import Tensor
from rootflow.models.layers import CONFIDENCE
from rootflow.models.losses import LOSSES, LOSSES_WITH_NONE, Loss, LossOf, is_right
from rootflow.models.neutrinos import known_neutrinos
from rootflow.models.neutrinos.coordinates import Seen
from rootflow.models.neutrinos.losses import NEUTRINO_LOSSES, Truth
from rootflow.models.neutrinos.losses import Loss as NeutrinoLoss
from rootflow.models.normalisation import Scales

TRUE_ASSIGNMENT, TRUE_NEUTRINOS = "true_assignment", "true_neutrinos"
# So that a confidence of 0 or 1 has a finite loss.
NEAREST = 1e-7


# Of an output that is a loss itself: one number for each event, whatever the target.
PER_EVENT = LossOf(lambda _, said: said)


def with_losses(
    network: keras.Model,
    losses: Sequence[str],
    own_of_jets: Mapping[str, Loss] = {},
    own_of_neutrinos: Mapping[str, NeutrinoLoss] = {},
) -> keras.Model:
    """Return the same layers with truth among the inputs, and losses among the outputs.

    The truth is `true_assignment` (n, 2) slots and `true_neutrinos` (n, 2, 3) in GeV; losses are
    those of `training.losses`, functions of one's own among them, and `confidence`, (n,) by name
    beside the `assignment`.
    """
    truth = {
        TRUE_ASSIGNMENT: keras.Input((2,), dtype="int32", name=TRUE_ASSIGNMENT),
        TRUE_NEUTRINOS: keras.Input((2, 3), name=TRUE_NEUTRINOS),
    }
    head, seen = known_neutrinos(network)
    layer = EventLosses(losses, head, own_of_jets, own_of_neutrinos, name="losses")
    values = layer(truth, _needed(network, layer), seen)
    outputs = {"assignment": network.output["assignment"], **values}
    return keras.Model({**network.input, **truth}, outputs, name=network.name)


def event_targets(
    targets: Mapping[str, NDArray[Any]], losses: Sequence[str]
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Return the further inputs of a network with losses, and its targets, of `Events.targets`."""
    slots, neutrinos = targets["assignment"], targets["neutrinos"]
    nothing = np.zeros(len(slots), np.float32)
    return (
        {TRUE_ASSIGNMENT: slots, TRUE_NEUTRINOS: neutrinos},
        {"assignment": slots, **dict.fromkeys(losses, nothing)},
    )


class EventLosses(layers.Layer):  # type: ignore[misc]
    """Losses by name, one number for each event; `head` is the layer that knows the neutrinos."""

    def __init__(
        self,
        names: Sequence[str],
        head: keras.Layer,
        own_of_jets: Mapping[str, Loss],
        own_of_neutrinos: Mapping[str, NeutrinoLoss],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.names = list(names)
        self.head = head
        self.of_neutrinos = {**NEUTRINO_LOSSES, **own_of_neutrinos}
        self.own_of_jets = dict(own_of_jets)

    def call(
        self, truth: Mapping[str, Tensor], said: Mapping[str, Tensor], seen: Seen
    ) -> dict[str, Tensor]:
        """Return (n,) for each loss; `said` has the network's outputs, and `joint`."""
        no_match = said[JOINT].shape[1] > said["assignment"].shape[1]
        of_jets = (LOSSES_WITH_NONE if no_match else LOSSES) | self.own_of_jets
        slots, neutrinos = truth[TRUE_ASSIGNMENT], truth[TRUE_NEUTRINOS]
        values = {}
        for name in self.names:
            if name in of_jets:
                values[name] = of_jets[name](slots, said[JOINT])
            elif name in self.of_neutrinos:
                known = truth_of(slots, neutrinos, seen, self.head.scales)
                values[name] = self.of_neutrinos[name](said["neutrinos"], known)
            elif name == CONFIDENCE:
                values[name] = confidence_loss(slots, said["assignment"], said[CONFIDENCE])
            else:
                values[name] = self.head.loss(seen, neutrinos)
        return values


def confidence_loss(slots: Tensor, assignment: Tensor, confidence: Tensor) -> Tensor:
    """Return the cross-entropy (n,) of the likeliest pair being right, 0 where that is unknown."""
    right = is_right(slots, assignment)
    confidence = ops.clip(confidence, NEAREST, 1.0 - NEAREST)
    entropy = -right * ops.log(confidence) - (1.0 - right) * ops.log(1.0 - confidence)
    return ops.where(ops.all(slots >= 0, axis=-1), entropy, 0.0)


def truth_of(slots: Tensor, neutrinos: Tensor, seen: Seen, scales: Scales) -> Truth:
    """Return what the losses of momenta know of true slots (n, 2) and momenta (n, 2, 3)."""
    jets, leptons = seen["jets"], seen["leptons"]
    # A slot of -1 is no jet: a row of zeros.
    chosen = ops.cast(ops.equal(slots[..., None], ops.arange(jets.shape[1])), "float32")
    return Truth(
        neutrinos=neutrinos,
        leptons=leptons,
        b_jets=ops.matmul(chosen, jets),
        known=ops.cast(slots >= 0, "float32"),
        visible=ops.sum(leptons, axis=1) + ops.sum(jets, axis=1),
        scales=ops.convert_to_tensor(scales, "float32"),
    )


def _needed(network: keras.Model, losses: EventLosses) -> dict[str, Tensor]:
    """Return the outputs that the losses look at: a flow need not be drawn from to be fitted."""
    said = {name: tensor for name, tensor in network.output.items() if name != "neutrinos"}
    said[JOINT] = network.get_layer(JOINT).output
    if any(name in losses.of_neutrinos for name in losses.names):
        said["neutrinos"] = network.output["neutrinos"]
    return said


class Trimming(keras.Model):  # type: ignore[misc]
    """A network that takes as many jet slots as there are: most slots of a padded event are empty.

    It has the layers of the network, whose weights must not depend on the number of slots.
    """

    def __init__(self, network: keras.Model) -> None:
        super().__init__(name=network.name)
        self.network = network

    def call(self, inputs: Mapping[str, Tensor], training: bool = False) -> dict[str, Tensor]:
        """Return what the network says of events of J slots."""
        # Not by `self.network(...)`, which takes the number of slots that it was made with.
        outputs: dict[str, Tensor] = self.network.call(dict(inputs), training=training)
        return outputs
