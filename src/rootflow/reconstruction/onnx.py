"""An exported ONNX file that keeps the Reconstructor contract."""

from pathlib import Path

from rootflow.config import FoldsConfig
from rootflow.dataset.events import Events
from rootflow.dataset.seen import batches, refuse_other_arrays, refuse_seen
from rootflow.errors import InputError
from rootflow.exported.checking import refuse_other_outputs
from rootflow.exported.code import OtherCode, check_code
from rootflow.exported.feeds import feeds_of
from rootflow.exported.session import answers, open_exported
from rootflow.reconstruction.contract import NetworkOutputs, Reconstruction
from rootflow.reconstruction.decode import decode, joined


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
    other_code
        As in `rootflow.exported.FoldedModel`.

    Raises
    ------
    InputError
        The file is not there, is not as `rootflow export` wrote it, or is a variant for C++.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        *,
        threads: int = 1,
        allow_seen_events: bool = False,
        other_code: OtherCode = "refuse",
    ) -> None:
        self.name = name
        self._path = path
        self._allow_seen_events = allow_seen_events
        self._session, contract = open_exported(path, threads)
        if contract.task != "reconstruction":
            raise InputError(
                f"{path}: a classifier, which reconstructs nothing; give the file of a network "
                "that assigns jets"
            )
        self.contract = contract
        # What the file's constants are is not known: a network all the same.
        self.parameters: int | None = None
        if self.contract.variant != "named":
            raise InputError(
                f"{path}: the {self.contract.variant} variant is for C++; give the named one, "
                f"which has no _{self.contract.variant} in its name"
            )
        self.other_code = check_code(contract, str(path), other_code)

    @property
    def folds(self) -> FoldsConfig:
        """The folds of the training; `held_out` is the one that it has not seen."""
        return self.contract.unseen

    def reconstruct(self, events: Events) -> Reconstruction:
        """Return the network's most probable assignment and its neutrinos.

        Raises
        ------
        InputError
            The network was trained on the fold of some of the events, or the events do
            not have the features or the number of slots that the file takes.
        """
        return decode(self.outputs(events), events.jet_mask)

    def outputs(self, events: Events) -> NetworkOutputs:
        """Return what the network says; errors as of `reconstruct`."""
        refuse_other_outputs(self.contract, self._path)
        jets = self.contract.slots["jets"]
        refuse_other_arrays(str(self._path), events, self.contract.features, jets)
        if not self._allow_seen_events:
            refuse_seen(self.name, events, self.folds)
        return joined([self._outputs(batch) for batch in batches(events)])

    def _outputs(self, events: Events) -> NetworkOutputs:
        feeds = feeds_of(self.contract, events.inputs())
        said = answers(self._session, self.contract.outputs, feeds, self._path)
        return NetworkOutputs(said["assignment"], said["neutrinos"], said.get("confidence"))
