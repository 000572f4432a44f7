"""Exported models as one: each event by the one that has not seen it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config import FoldingConfig
from rootflow.dataset.folds import EVENTS_AT_ONCE, fold_of, refuse_seen
from rootflow.errors import InputError, UsageError
from rootflow.exported.checking import refuse_other_outputs
from rootflow.exported.contract import OnnxContract, OtherCode, Tensor, check_code
from rootflow.exported.folds import model_files
from rootflow.exported.session import answers, open_exported

FOLD = "fold"
Arrays = Mapping[str, NDArray[Any]]
# What the files of one model must agree in.
COMMON = (
    "analysis", "model", "code", "order", "inputs", "outputs", "uses", "branch_map", "selection",
    "folds",
)  # fmt: skip


class Member(NamedTuple):
    """A file; `fold` is the one that its model has not seen, None where it has all models."""

    path: Path
    session: Any
    contract: OnnxContract
    fold: int | None


def open_members(paths: Sequence[Path], threads: int) -> list[Member]:
    """Return the files of a model, each of another fold; `threads` are of one operation."""
    members = [_opened(path, threads) for path in model_files(paths)]
    if paths[0].is_dir():
        _refuse_other_folds(paths[0], members)
    for member in members[1:]:
        _refuse_other_model(members[0], member)
    if len({member.fold for member in members}) < len(members):
        raise UsageError(
            f"{members[0].contract.model}: two of the files are of the same fold: "
            f"{', '.join(member.path.name for member in members)}"
        )
    return members


def _opened(path: Path, threads: int) -> Member:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    session, contract = open_exported(path, threads)
    if contract.variant != "named":
        raise InputError(
            f"{path}: the {contract.variant} variant is for the ntuple production; give the named "
            f"one, which has no _{contract.variant} in its name"
        )
    refuse_other_outputs(contract, path)
    return Member(path, session, contract, contract.held_out)


def _refuse_other_folds(folder: Path, members: Sequence[Member]) -> None:
    """Refuse a folder whose files are not, in their order, of the folds that there are."""
    for fold, member in enumerate(members):
        count = member.contract.folds.count
        if (member.fold, count) != (fold, len(members)):
            there = "all folds" if member.fold is None else f"fold {member.fold}"
            raise InputError(
                f"{folder}: says that {member.path.name} is of fold {fold} of {len(members)}, "
                f"and the file says that it is of {there} of {count}"
            )


def _refuse_other_model(first: Member, other: Member) -> None:
    for member in (first, other):
        if member.fold is None:
            raise UsageError(f"{member.path}: has the models of all folds: name it alone")
    ours, theirs = first.contract, other.contract
    differing = [name for name in COMMON if getattr(ours, name) != getattr(theirs, name)]
    if differing:
        raise InputError(
            f"{other.path}: not of the same model as {first.path}: other {', '.join(differing)}"
        )


class FoldedModel:
    """Exported models, one for each fold or for some of them.

    Each event is given to the model that has not seen it. It needs neither TensorFlow nor
    MLflow.

    Parameters
    ----------
    paths
        A folder with `folds.json`, which names the file of every fold, or ONNX files of
        `rootflow export`: those of several folds, that of one, or that of all folds.
    threads
        Those that onnxruntime uses within one operation.
    other_code
        What becomes of a model whose inputs other code computed than is here: "refuse", or
        "warn", which only notes it.

    Attributes
    ----------
    contract
        What the files say of themselves; of several, what the first one says.
    other_code
        In words, how the code differs that computes the inputs; None: it does not.
    folding
        How events are divided into folds.
    held_out
        The folds for whose events there is a model that has not seen them.

    Raises
    ------
    InputError
        A file is not there, is not one of `rootflow export`, is cut short, is outside the
        folder or of another fold than the folder says, the files are not of one model, or its
        inputs were computed by other code.
    """

    def __init__(
        self, *paths: Path | str, threads: int = 1, other_code: OtherCode = "refuse"
    ) -> None:
        members = open_members([Path(path) for path in paths], threads)
        self._members = {member.fold: member for member in members}
        self.contract = members[0].contract
        self.name = self.contract.model
        self.other_code = check_code(self.contract, str(members[0].path), other_code)
        self.folding: FoldingConfig = self.contract.folds
        known = sorted(fold for fold in self._members if fold is not None)
        self.held_out: tuple[int, ...] = tuple(known or range(self.folding.count))

    def unseen(self, event_number: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
        """Return (n,) for which events, by number, there is a model that has not seen them."""
        return np.isin(self._folds(event_number), self.held_out)

    def chosen(self, event_number: NDArray[np.integer[Any]]) -> NDArray[np.int16]:
        """Return (n,) the held-out fold of the model that is applied to each event.

        It is the event's own fold; where there is no model of it, the first fold that there
        is one of, which matters only with `allow_seen_events`.
        """
        fold = self._folds(event_number)
        return np.where(np.isin(fold, self.held_out), fold, self.held_out[0]).astype(np.int16)

    def predict(
        self,
        inputs: Arrays,
        event_number: NDArray[np.integer[Any]],
        *,
        fold: int | None = None,
        allow_seen_events: bool = False,
    ) -> dict[str, NDArray[Any]]:
        """Return what the models say, by the name of the output: (n, ...) of each.

        Parameters
        ----------
        inputs
            (n, ...) by the name of the input, with the features and in the units and the
            order that `contract.inputs` says.
        event_number
            (n,) as in the ntuple: it says which model has not seen the event.
        fold
            Only the model that has not seen this fold; none: for each event its own.
        allow_seen_events
            Also events that the model was trained on: for collisions, which no model was
            trained on, and for a look at over-training.

        Raises
        ------
        InputError
            A model was trained on some of the events, or the inputs are not what it takes.
        UsageError
            There is no model of this fold.
        """
        event_number = np.asarray(event_number)
        arrays = self._checked(inputs, event_number)
        chosen = self._chosen(event_number, fold, allow_seen_events)
        outputs = {
            tensor.name: np.empty((len(event_number), *_fixed(tensor)), tensor.type)
            for tensor in self.contract.outputs
        }
        for member, index in self._shares(chosen):
            feeds = {name: array[index] for name, array in arrays.items()}
            if member.fold is None:
                feeds[FOLD] = chosen[index].astype(np.int64)
            said = answers(member.session, self.contract.outputs, feeds, member.path)
            for name, values in said.items():
                outputs[name][index] = values
        return outputs

    def _folds(self, event_number: NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
        # Negative numbers of 32 bits become what reading ntuples makes of them.
        return fold_of(np.asarray(event_number).astype(np.uint64), self.folding)

    def _chosen(
        self, event_number: NDArray[np.integer[Any]], fold: int | None, allow_seen_events: bool
    ) -> NDArray[np.int16]:
        if fold is None:
            chosen, unseen = self.chosen(event_number), self.held_out
        elif fold in self.held_out:
            chosen, unseen = np.full(len(event_number), fold, np.int16), (fold,)
        else:
            raise UsageError(
                f"{self.name}: there is no model of fold {fold}, only of {_listed(self.held_out)}"
            )
        if not allow_seen_events:
            refuse_seen(self.name, self._folds(event_number), self.folding, unseen)
        return chosen

    def _checked(self, inputs: Arrays, event_number: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return the inputs as the sessions take them."""
        if event_number.ndim != 1 or event_number.dtype.kind not in "iu":
            raise InputError(f"{self.name}: event_number is (n,) integers, as in the ntuple")
        wanted = {tensor.name: tensor for tensor in self.contract.inputs if tensor.name != FOLD}
        if set(inputs) != set(wanted):
            raise InputError(
                f"{self.name} takes {_listed(wanted)}; these inputs are {_listed(inputs)}"
            )
        arrays = {}
        for name, tensor in wanted.items():
            array = np.asarray(inputs[name])
            shape = (len(event_number), *_fixed(tensor))
            if array.shape != shape:
                features = ", ".join(feature.name for feature in tensor.features)
                raise InputError(
                    f"{self.name}: {name} is {array.shape}, not {shape}"
                    + (f" with the features {features}" if features else "")
                )
            arrays[name] = array.astype(tensor.type, copy=False)
        return arrays

    def _shares(self, chosen: NDArray[np.int16]) -> Iterator[tuple[Member, NDArray[np.int64]]]:
        """Yield each file with places of events that are its own, some at a time."""
        for fold, member in self._members.items():
            own = np.arange(len(chosen)) if fold is None else np.flatnonzero(chosen == fold)
            for start in range(0, len(own), EVENTS_AT_ONCE):
                yield member, own[start : start + EVENTS_AT_ONCE]


def _fixed(tensor: Tensor) -> tuple[int, ...]:
    """Return the shape of one event."""
    return tuple(int(axis) for axis in tensor.shape[1:])


def _listed(values: Any) -> str:
    return ", ".join(map(str, values))
