"""Training in mixed precision: products with weights in 16 bits, everything else in float32.

Momenta, views, normalisation, softmax, what the neutrinos are made of and the losses need more
digits than bfloat16 (3) or float16 (4) have. Weights stay float32, and so does the network that is
validated, saved and exported: only the steps of the training are traced with this.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
from keras import layers

from rootflow.errors import UsageError
from rootflow.models.layers import Attention, OverJets, SelfAttention

FLOAT32, FLOAT16 = "float32", "mixed_float16"
PRODUCTS = (layers.Dense, layers.EinsumDense, layers.GRUCell)
MADE_OF_PRODUCTS = (Attention, SelfAttention, OverJets, layers.MultiHeadAttention)
# Of what they say a softmax or a sigmoid is taken.
SCORES = frozenset({"logit", "pairs", "score", "alone_score", "neither_score"})


@contextmanager
def computing_in(precision: str, model: keras.Model) -> Iterator[None]:
    """Have the products of a network be computed as Keras' policy `precision` says, for a while.

    A network that has no product by a layer of Keras' own is a UsageError.
    """
    products = [] if precision == FLOAT32 else list(_products(model))
    if precision != FLOAT32 and not products:
        raise UsageError(
            f"training.precision={precision}: the network has no layer that it would change: "
            f"{', '.join(kind.__name__ for kind in PRODUCTS)}"
        )
    before = [layer.dtype_policy for layer in products]
    try:
        for layer in products:
            layer.dtype_policy = precision
        yield
    finally:
        for layer, policy in zip(products, before, strict=True):
            layer.dtype_policy = policy


def _products(model: keras.Model) -> Iterator[keras.Layer]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _products(layer)
        elif isinstance(layer, MADE_OF_PRODUCTS):
            parts = layer._flatten_layers(include_self=False)  # Keras has no public name for them
            yield from (each for each in parts if isinstance(each, PRODUCTS))
        elif isinstance(layer, PRODUCTS) and layer.name not in SCORES:
            yield layer
