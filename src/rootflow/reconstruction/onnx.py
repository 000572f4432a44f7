"""An exported ONNX file that keeps the Reconstructor contract."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_errors

from rootflow.dataset.events import Events
from rootflow.errors import InputError
from rootflow.reconstruction.contract import Reconstruction
from rootflow.reconstruction.decode import decode
from rootflow.reconstruction.onnx_contract import OnnxContract, read_contract
from rootflow.reconstruction.seen import batches, refuse_other_arrays, refuse_seen

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


class OnnxReconstructor:
    """A named ONNX file of `rootflow export`, applied to the events that it has not seen.

    Parameters
    ----------
    name
        Under which its metrics are logged.
    path
        The file.
    threads
        Of onnxruntime within one operation.
    allow_seen_events
        Also reconstruct events of the training's folds, as for a look at overtraining.

    Raises
    ------
    InputError
        The file is not there, is not ONNX, is cut short, is not one of rootflow's or is
        a flat variant.
    """

    def __init__(
        self, name: str, path: Path, *, threads: int = 1, allow_seen_events: bool = False
    ) -> None:
        self.name = name
        self._path = path
        self._allow_seen_events = allow_seen_events
        try:
            self._session = open_session(path, threads)
        except UNREADABLE as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"{path}: not a whole ONNX file: {reason}") from None
        self.contract: OnnxContract = read_contract(
            self._session.get_modelmeta().custom_metadata_map, str(path)
        )
        if self.contract.variant != "named":
            raise InputError(
                f"{path}: the flat variant is for the ntuple production; give the named one, "
                "which has no _flat in its name"
            )

    def reconstruct(self, events: Events) -> Reconstruction:
        """Return the network's most probable assignment and its neutrinos.

        Raises
        ------
        InputError
            The network was trained on the fold of some of the events, or the events do
            not have the features or the number of slots that the file takes.
        """
        refuse_other_arrays(str(self._path), events, self.contract.features, self.contract.max_jets)
        if not self._allow_seen_events:
            refuse_seen(self.name, events, self.contract.folds)
        parts = [self._reconstruct(batch) for batch in batches(events)]
        return Reconstruction(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

    def _reconstruct(self, events: Events) -> Reconstruction:
        feeds: dict[str, NDArray[Any]] = {
            name: np.ascontiguousarray(array) for name, array in events.inputs().items()
        }
        assignment, neutrinos = self._session.run(["assignment", "neutrinos"], feeds)
        return decode(assignment, neutrinos, events.jet_mask)
