"""Opening ONNX files, checked before anything is run, and how long they take for one event."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors

from rootflow.errors import InputError
from rootflow.exported.checking import check_content
from rootflow.exported.contract import OnnxContract, Tensor
from rootflow.files import read_bytes

UNREADABLE = (
    runtime_errors.Fail,
    runtime_errors.InvalidArgument,
    runtime_errors.InvalidGraph,
    runtime_errors.InvalidProtobuf,
    runtime_errors.NoSuchFile,
    runtime_errors.NotImplemented,
    runtime_errors.RuntimeException,
    UnicodeDecodeError,  # onnxruntime's own message quotes what is no text
)
QUIET = 4
WARM_UP, REPETITIONS = 20, 300
MILLISECONDS = 1e-6  # in a nanosecond
Arrays = dict[str, NDArray[Any]]


def open_session(model: Path | bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """Return a session on the CPU; onnxruntime writes nothing to the terminal."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = QUIET
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def open_exported(
    path: Path, threads: int = 1
) -> tuple[onnxruntime.InferenceSession, OnnxContract]:
    """Return a session of a file of `rootflow export`, of the very bytes that were checked.

    One that is not there, is not ONNX, is cut short or altered, has no contract or another than
    its tensors keep, or has data in other files, is an InputError.
    """
    try:
        content = read_bytes(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    contract = check_content(content, str(path))
    try:
        return open_session(content, threads), contract
    except UNREADABLE as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: onnxruntime cannot run it: {reason}") from None


def ask(session: onnxruntime.InferenceSession, feeds: Mapping[str, NDArray[Any]]) -> Arrays:
    """Return what a session says of a batch, by name."""
    names = [tensor.name for tensor in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(feeds)), strict=True))


def answers(
    session: onnxruntime.InferenceSession,
    outputs: Sequence[Tensor],
    feeds: Mapping[str, NDArray[Any]],
    where: Path | str,
) -> Arrays:
    """Return what a session says of some events, by the name of the output.

    `outputs` are as the contract says them; one that has another shape, or events that it cannot
    be run on, are an InputError.
    """
    try:
        said = ask(session, feeds)
    except (*UNREADABLE, ValueError) as error:  # an input that is not given is the second
        reason = str(error).splitlines()[0][:300]
        raise InputError(f"{where}: onnxruntime cannot run it on these events: {reason}") from None
    (count, *_) = (len(array) for array in feeds.values())
    for tensor in outputs:
        wanted = (count, *tensor.shape[1:])
        if said[tensor.name].shape != wanted:
            raise InputError(
                f"{where}: gives {tensor.name} {said[tensor.name].shape} for {count} events, and "
                f"its contract says {wanted}: export the model again"
            )
    return said


def latency_ms(path: Path, example: Mapping[str, NDArray[Any]]) -> float:
    """Return the median time in ms, with one thread, for one event: the first of the example."""
    session = open_session(path, threads=1)
    names = [tensor.name for tensor in session.get_inputs()]
    feeds = {name: np.ascontiguousarray(example[name][:1]) for name in names}
    nanoseconds = []
    for _ in range(WARM_UP + REPETITIONS):
        started = time.perf_counter_ns()
        session.run(None, feeds)
        nanoseconds.append(time.perf_counter_ns() - started)
    return float(np.median(nanoseconds[WARM_UP:])) * MILLISECONDS
