"""A network that is small and quick, with the inputs and outputs of the real ones."""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

import rootflow.models  # noqa: F401 - trainings after it in the process need its threads

Change = Callable[[Any], Any]


def unchanged(tensor: Any) -> Any:
    return tensor


def small_network(
    max_jets: int = 8,
    activation: str = "gelu",
    hidden: Change = unchanged,
    momenta: Change = unchanged,
    use_met: bool = True,
    event_features: int = 0,
) -> keras.Model:
    """Return an untrained network with the inputs and outputs of the real ones."""
    keras.utils.set_random_seed(1)
    inputs = {
        "jets": keras.Input((max_jets, 5), name="jets"),
        "jet_mask": keras.Input((max_jets,), dtype="bool", name="jet_mask"),
        "leptons": keras.Input((2, 5), name="leptons"),
        "met": keras.Input((2,), name="met"),
    }
    mask = inputs["jet_mask"]
    seen = [
        layers.Flatten()(inputs["jets"] / 100.0 * ops.cast(mask, "float32")[..., None]),
        layers.Flatten()(inputs["leptons"] / 100.0),
    ]
    if use_met:
        seen.append(inputs["met"] / 100.0)
    if event_features:
        inputs["event"] = keras.Input((event_features,), name="event")
        seen.append(inputs["event"] / 100.0)
    said = hidden(layers.Dense(32, activation=activation)(layers.Concatenate()(seen)))

    allowed = ops.logical_and(mask[:, :, None], mask[:, None, :])
    allowed = ops.logical_and(allowed, ops.logical_not(ops.eye(max_jets, dtype="bool")))
    scores = layers.Reshape((max_jets, max_jets))(layers.Dense(max_jets**2)(said))
    flat = ops.reshape(ops.where(allowed, scores, -1e9), (-1, max_jets**2))
    joint = ops.reshape(ops.softmax(flat), (-1, max_jets, max_jets))
    outputs = {
        "assignment": ops.where(allowed, joint, 0.0),
        "neutrinos": momenta(layers.Reshape((2, 3))(layers.Dense(6)(said)) * 50.0),
    }
    return keras.Model(inputs, outputs, name="small")
