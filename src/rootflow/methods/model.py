"""Methods that are trained models, and what their outputs mean."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rootflow.analysis import TaskName
from rootflow.config import FoldingConfig
from rootflow.dataset.events import Events, pairs_of_jets
from rootflow.dataset.folds import fold_of
from rootflow.errors import InputError
from rootflow.methods.contract import Outputs, Reconstruction

AnyModel = TypeVar("AnyModel")


class Model(ABC):
    """A method that was trained, or several as one."""

    name: str  # under which its metrics are logged
    task: TaskName  # what it was trained for: its answers are a `Reconstruction`, or `Scores`
    parameters: int | None  # how many numbers were fitted, None where that is not known

    @abstractmethod
    def outputs(self, events: Events) -> Outputs:
        """Return what the model says of events that it was not trained on; errors of `answer`."""

    def outputs_seen(self, events: Events) -> Outputs | None:  # noqa: ARG002 - as others ask it
        """Return what models say that were trained on the events, None where there are none.

        To see how much was learnt by heart; never for a result.
        """
        return None

    def answer(self, events: Events) -> Any:
        """Return what the outputs mean: a `Reconstruction`, or `Scores`.

        It is an InputError if the model was trained on the fold of some of the events, or they do
        not have the features or the number of slots that it takes.
        """
        return decode(self.outputs(events), events.masks.get("jets"))

    def answer_seen(self, events: Events) -> Any:
        """Return the same of `outputs_seen`, None where there are none."""
        said = self.outputs_seen(events)
        return None if said is None else decode(said, events.masks.get("jets"))


def refuse_other_task(model: Model, task: TaskName, where: Path | str) -> None:
    """Refuse a model of another task; `where` is its file, or where it is named."""
    if model.task != task:
        raise InputError(f"{where}: a model of {model.task}: give one of {task}")


def next_fold(events: Events, folds: FoldingConfig) -> NDArray[np.int64]:
    """Return (n,) the fold after each event's own: its model was trained on the event."""
    return (fold_of(events.fold_numbers, folds).astype(np.int64) + 1) % folds.count


def of_folds(
    fold: NDArray[np.integer],
    models: Sequence[AnyModel],
    ask: Callable[[AnyModel, NDArray[np.int64]], Outputs],
) -> Outputs:
    """Return what is said of all events, asked of each fold's model with the places of those."""
    chosen = [np.flatnonzero(fold == place) for place in range(len(models))]
    parts = [ask(model, index) for model, index in zip(models, chosen, strict=True)]
    back = np.argsort(np.concatenate(chosen))
    return {name: values[back] for name, values in over(np.concatenate, parts).items()}


def decode(outputs: Outputs, jet_mask: NDArray[np.bool_] | None) -> Any:
    """Return what outputs mean: a `Reconstruction`, or `Scores`.

    `jet_mask` (n, J) is True where there is a jet; None where events have none.
    """
    if "assignment" in outputs and jet_mask is not None:
        return reconstruction(outputs, jet_mask)
    said = outputs["probabilities"] if "probabilities" in outputs else outputs["score"][:, 0]
    return np.asarray(said, np.float64)


def reconstruction(outputs: Outputs, jet_mask: NDArray[np.bool_]) -> Reconstruction:
    """Return the most probable assignment of each event, and its neutrinos.

    Only ordered pairs of different existing jets, by `jet_mask` (n, J), are answers; an event
    with fewer than two jets is not solved. Without a confidence the probability of the pair is
    the score. Output that is not finite is an InputError.
    """
    assignment, neutrinos = outputs["assignment"], outputs["neutrinos"]
    confidence = outputs.get("confidence")
    broken = ~np.all(np.isfinite(assignment), axis=(1, 2))
    broken |= ~np.all(np.isfinite(neutrinos), axis=(1, 2))
    if confidence is not None:
        broken |= ~np.isfinite(confidence)
    if np.any(broken):
        raise InputError(
            f"the network's output is not finite in {np.sum(broken)} of {len(broken)} events: "
            "its weights or these inputs are not finite"
        )
    events, slots = jet_mask.shape
    allowed = pairs_of_jets(jet_mask)
    flat = np.where(allowed, assignment, -1.0).reshape(events, slots * slots)
    best = np.argmax(flat, axis=1)
    solved = np.any(allowed, axis=(1, 2))
    score = np.take_along_axis(flat, best[:, np.newaxis], axis=1)[:, 0]
    if confidence is not None:
        score = confidence
    pair = np.stack(np.divmod(best, slots), axis=1)
    return Reconstruction.where(solved, pair, neutrinos, score)


def over(combine: Callable[..., NDArray[Any]], parts: Sequence[Outputs]) -> Outputs:
    """Return the outputs that all parts have, combined over them: `np.concatenate`, `np.mean`."""
    names = [name for name in parts[0] if all(name in part for part in parts)]
    return {name: combine([part[name] for part in parts], axis=0) for name in names}
