"""A classifier that is small and quick, with the inputs and the output of the real ones."""

import keras
from keras import layers, ops


def small_classifier(seed: int = 1, activation: str = "gelu") -> keras.Model:
    """Return an untrained network; another seed, another network."""
    keras.utils.set_random_seed(seed)
    leptons, event = keras.Input((4, 5), name="leptons"), keras.Input((17,), name="event")
    seen = [layers.Flatten()(ops.log(1.0 + ops.abs(leptons))), ops.log(1.0 + ops.abs(event))]
    hidden = layers.Dense(16, activation=activation)(layers.Concatenate()(seen))
    score = layers.Dense(1, activation="sigmoid")(hidden)
    return keras.Model({"leptons": leptons, "event": event}, {"score": score}, name="small")
