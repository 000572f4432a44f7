"""The same numbers for the same inputs, to the last bit."""

import contextlib

import tensorflow as tf

from rootflow.errors import RootflowError

# Threads share sums, and their number decides how: it is the same on however many cores.
THREADS = 2

with contextlib.suppress(RuntimeError):  # too late: `make_deterministic` says it
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)


def make_deterministic() -> None:
    """Have TensorFlow compute in the same order in every run, on however many cores.

    Its arithmetic optimisation makes one sum of many terms of sums of two, and such a sum
    begins with the term whose memory is free first, which differs from run to run. Where
    TensorFlow has computed before with another number of threads, it is a RootflowError.
    """
    found = tf.config.threading.get_intra_op_parallelism_threads()
    if found != THREADS:
        raise RootflowError(
            f"TensorFlow runs with {found or 'as many'} threads {'' if found else 'as cores '}in "
            f"this process, and rootflow's numbers are those of {THREADS}: import rootflow.models "
            "before anything is computed with TensorFlow"
        )
    tf.config.experimental.enable_op_determinism()
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
