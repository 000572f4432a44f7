"""The same numbers for the same inputs, to the last bit."""

import tensorflow as tf


def make_deterministic() -> None:
    """Have TensorFlow compute in the same order in every run of this process.

    Its arithmetic optimisation makes one sum of many terms of sums of two, and such a sum
    begins with the term whose memory is free first, which differs from run to run.
    """
    tf.config.experimental.enable_op_determinism()
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
