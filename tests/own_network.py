"""Networks of one's own, as a package beside rootflow would have them."""

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="own_network")
class Scale(keras.Layer):
    def __init__(self, factor: float, **more: Any) -> None:
        super().__init__(**more)
        self.factor = factor

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}

    def call(self, values: Any) -> Any:
        return values * self.factor


class Unregistered(keras.Layer):
    def call(self, values: Any) -> Any:
        return values


def build(inputs: dict[str, Any], masks: dict[str, Any], width: int = 8) -> Any:
    """Sum what layers make of each object that is there."""
    parts = []
    for name, values in inputs.items():
        each = layers.Dense(width, activation="tanh", name=f"own_{name}")(Scale(0.5)(values))
        if name in masks:
            each = ops.where(masks[name][..., None], each, 0.0)
        parts.append(ops.sum(each, axis=1) if len(each.shape) == 3 else each)
    return layers.Concatenate()(parts)


def build_by_order(inputs: dict[str, Any], masks: dict[str, Any]) -> Any:  # noqa: ARG001
    """Look at the first object of each event alone."""
    return layers.Dense(4)(inputs["leptons"][:, 0])


def build_unregistered(inputs: dict[str, Any], masks: dict[str, Any]) -> Any:  # noqa: ARG001
    return Unregistered()(layers.Dense(4)(inputs["event"]))


def build_nothing(inputs: dict[str, Any], masks: dict[str, Any]) -> Any:  # noqa: ARG001
    return inputs["leptons"]


def tokens(inputs: dict[str, Any], masks: dict[str, Any], width: int = 8) -> Any:
    """Give each jet what is known of it and of the mean of all jets."""
    jets = layers.Dense(width, activation="tanh", name="own_jets")(Scale(0.5)(inputs["jets"]))
    rest = [layers.Flatten()(inputs[name]) for name in ("leptons", "met") if name in inputs]
    event = layers.Dense(width, activation="tanh", name="own_event")(ops.concatenate(rest, axis=-1))
    there = ops.cast(masks["jets"], "float32")[..., None]
    mean = ops.sum(jets * there, axis=1) / ops.maximum(ops.sum(there, axis=1), 1.0)
    event = ops.concatenate([event, mean], axis=-1)
    return jets + layers.Dense(width, name="own_context")(event)[:, None], event


def tokens_by_batch(inputs: dict[str, Any], masks: dict[str, Any]) -> Any:
    """Look at the other events of the batch."""
    jets, event = tokens(inputs, masks)
    return jets, event + ops.mean(event, axis=0, keepdims=True)


def tokens_without_event(inputs: dict[str, Any], masks: dict[str, Any]) -> Any:
    return tokens(inputs, masks)[0]
