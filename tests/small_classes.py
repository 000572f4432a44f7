"""A small network of masked jets, leptons and MET to several classes."""

import keras
from keras import layers, ops

from rootflow.dataset import Events

CLASSES = ("ttbar", "Z+jets", "WW")


def small_classes(events: Events, seed: int = 1) -> keras.Model:
    """Return an untrained network; another seed, another network."""
    keras.utils.set_random_seed(seed)
    shapes = {name: array.shape[1:] for name, array in events.inputs().items()}
    inputs = {
        name: keras.Input(shape, name=name, dtype="bool" if name == "jet_mask" else "float32")
        for name, shape in shapes.items()
    }
    seen = {name: ops.tanh(0.01 * inputs[name]) for name in ("jets", "leptons", "met")}
    mask = ops.expand_dims(ops.cast(inputs["jet_mask"], "float32"), -1)
    jets = ops.sum(layers.Dense(8, "relu")(seen["jets"]) * mask, axis=1)
    parts = [jets, layers.Flatten()(seen["leptons"]), seen["met"]]
    hidden = layers.Dense(8, "relu")(layers.Concatenate()(parts))
    said = layers.Dense(len(CLASSES), "softmax")(hidden)
    return keras.Model(inputs, {"probabilities": said}, name="classes")
