"""Opening ONNX files: what they say of themselves is checked before anything is run."""

from pathlib import Path
from typing import NamedTuple

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors

from rootflow.errors import InputError
from rootflow.exported.checking import check_content
from rootflow.exported.contract import ClassifierContract, ReconstructionContract

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


class Opened(NamedTuple):
    """A file of `rootflow export`, ready to be applied, and what it says of itself."""

    session: onnxruntime.InferenceSession
    contract: ReconstructionContract | ClassifierContract


def open_session(model: Path | bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """Return a session on the CPU; onnxruntime writes nothing to the terminal."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = QUIET
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def open_file(path: Path, threads: int = 1) -> onnxruntime.InferenceSession:
    """Return the session of `open_exported`."""
    return open_exported(path, threads).session


def open_exported(path: Path, threads: int = 1) -> Opened:
    """Return a session of a file of `rootflow export`, of the very bytes that were checked.

    Raises
    ------
    InputError
        The file is not there, is not ONNX, is cut short or altered, has no contract or another
        than its tensors keep, or has data in other files.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    contract = check_content(content, str(path))
    try:
        return Opened(open_session(content, threads), contract)
    except UNREADABLE as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: onnxruntime cannot run it: {reason}") from None
