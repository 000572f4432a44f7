"""How long an exported model takes for one event."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.exported.session import open_session

WARM_UP, REPETITIONS = 20, 300
MILLISECONDS = 1e-6  # in a nanosecond


def latency_ms(path: Path, example: Mapping[str, NDArray[Any]]) -> float:
    """Return the median time of onnxruntime for one event, in ms, with one thread.

    Parameters
    ----------
    path
        Of the file.
    example
        Events by input; the first of them is asked for again and again.
    """
    session = open_session(path, threads=1)
    names = [tensor.name for tensor in session.get_inputs()]
    feeds = {name: np.ascontiguousarray(example[name][:1]) for name in names}
    nanoseconds = []
    for _ in range(WARM_UP + REPETITIONS):
        started = time.perf_counter_ns()
        session.run(None, feeds)
        nanoseconds.append(time.perf_counter_ns() - started)
    return float(np.median(nanoseconds[WARM_UP:])) * MILLISECONDS
