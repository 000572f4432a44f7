"""Opening ONNX files."""

from pathlib import Path

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors

from rootflow.errors import InputError

UNREADABLE = (
    runtime_errors.Fail,
    runtime_errors.InvalidArgument,
    runtime_errors.InvalidGraph,
    runtime_errors.InvalidProtobuf,
    runtime_errors.NoSuchFile,
    runtime_errors.NotImplemented,
    runtime_errors.RuntimeException,
)
QUIET = 4


def open_session(model: Path | bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """Return a session on the CPU; onnxruntime writes nothing to the terminal."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = QUIET
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def open_file(path: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """Return a session of a user's file.

    Raises
    ------
    InputError
        The file is not there, is not ONNX or is cut short.
    """
    try:
        return open_session(path, threads)
    except UNREADABLE as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: not a whole ONNX file: {reason}") from None
