"""What weights of fewer bits cost in physics."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config.export import Precision
from rootflow.dataset.events import DATA, Events
from rootflow.dataset.seen import batches
from rootflow.errors import InputError, RootflowError
from rootflow.export.parity import Arrays, Row, ask
from rootflow.export.precision import calibrating
from rootflow.export.targets import Converted
from rootflow.exported.session import open_session
from rootflow.methods.answers import reconstruction
from rootflow.methods.reconstruction.objects import at, four_momenta
from rootflow.physics.ttbar import top_pair, ttbar_mass


class Loss(NamedTuple):
    """A figure of merit before and after, and the error of the difference."""

    before: float
    after: float
    error: float


def cost(
    full: Converted, lower: Converted, precision: Precision, loss_max: float, events: Events
) -> Row:
    """Return what the lower precision costs, on events that did not set its ranges.

    Returns
    -------
    dict
        `precision`, `events`, and of a figure of merit, weighted, `accuracy_before`,
        `accuracy_after`, their difference `accuracy_loss` and its error
        `accuracy_loss_error`, the events being the same. Of networks that assign jets it is
        the accuracy where both b jets are among the jets, beside the median of
        |m(ttbar) / truth - 1| `mtt_error_before` and `mtt_error_after`; of classifiers
        `auc_...`, the area under the ROC curve, of several classes the mean of those of
        each against the others.

    Raises
    ------
    RootflowError
        The loss is above `loss_max`.
    InputError
        No event has both b jets among its jets, or there are none of some class.
    """
    others = events.take(slice(calibrating(len(events)), None))
    if "assignment" in full.outputs:
        name, loss, row = "accuracy", *_of_assignment(full, lower, precision, others)
    else:
        name, loss, row = "auc", *_of_classes(full, lower, precision, others)
    lost = loss.before - loss.after
    found: Row = {
        f"{name}_before": loss.before,
        f"{name}_after": loss.after,
        f"{name}_loss": lost,
        f"{name}_loss_error": loss.error,
    }
    if lost > loss_max:
        what = "assignment accuracy" if name == "accuracy" else "AUC"
        raise RootflowError(
            f"{precision} costs {lost:.4f} +- {loss.error:.4f} of {what} "
            f"({loss.before:.4f} before), more than "
            f"export.accuracy_loss_max: {loss_max}; nothing is exported"
        )
    return {"precision": precision, **row, **found}


def _of_assignment(
    full: Converted, lower: Converted, precision: Precision, events: Events
) -> tuple[Loss, Row]:
    if events.assignment is None or events.tops is None:
        raise InputError(f"export: {precision} is measured on events with truth, these have none")
    both = np.all(events.assignment >= 0, axis=1)
    if not np.any(both):
        raise InputError(f"export: no event has both b jets to measure {precision} on")
    matched, truth = events.take(both), events.assignment[both]
    mass = ttbar_mass(events.tops[both])
    said = [_said(converted, matched) for converted in (full, lower)]
    chosen = [reconstruction(each, matched.jet_mask).assignment for each in said]
    right = [np.all(assignment == truth, axis=1) for assignment in chosen]
    errors = [
        _mtt_error(assignment, each["neutrinos"], matched, mass)
        for assignment, each in zip(chosen, said, strict=True)
    ]
    weight = matched.weight / matched.weight.sum()
    lost = right[0].astype(float) - right[1]
    loss = float(np.sum(weight * lost))
    found = Loss(
        before=float(np.sum(weight * right[0])),
        after=float(np.sum(weight * right[1])),
        error=float(np.sqrt(np.sum((weight * (lost - loss)) ** 2))),
    )
    row: Row = {"mtt_error_before": errors[0], "mtt_error_after": errors[1]}
    return found, {"events": len(matched)} | row


def _of_classes(
    full: Converted, lower: Converted, precision: Precision, events: Events
) -> tuple[Loss, Row]:
    if events.label is None:
        raise InputError(f"export: {precision} is measured on events with labels, these have none")
    simulated = events.take(events.label != DATA)
    label, weight = np.asarray(simulated.label), np.abs(simulated.weight)
    said = [_said(converted, simulated) for converted in (full, lower)]
    (name,) = full.outputs
    columns = {1: 0} if name == "score" else {k: k for k in range(said[0][name].shape[1])}
    losses = []
    for each, column in columns.items():
        of_class = np.asarray(label == each)
        if of_class.all() or not of_class.any():
            raise InputError(
                f"export: no event to measure {precision} on is of class {each}, or none of another"
            )
        before, after = (_auc(answer[name][:, column], of_class, weight) for answer in said)
        losses.append(_difference(before, after, of_class, weight))
    mean = np.mean(losses, axis=0)
    error = float(np.sqrt(np.sum(np.square([each.error for each in losses])))) / len(losses)
    return Loss(float(mean[0]), float(mean[1]), error), {"events": len(simulated)}


def _auc(
    score: NDArray[np.floating], signal: NDArray[np.bool_], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (n,) for each event how much of the other kind it is ranked rightly against.

    Their weighted mean over the signal, and that over the rest, is the area.
    """
    placed = np.empty(len(score))
    for own, others, sign in ((signal, ~signal, 1), (~signal, signal, -1)):
        values = sign * score[others]
        order = np.argsort(values, kind="stable")
        below = np.concatenate([[0.0], np.cumsum(weight[others][order])])
        low, high = (
            below[np.searchsorted(values[order], sign * score[own], side)]
            for side in ("left", "right")
        )
        placed[own] = (low + high) / 2 / below[-1]
    return placed


def _difference(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    signal: NDArray[np.bool_],
    weight: NDArray[np.float64],
) -> Loss:
    """Return both areas and the error of their difference (DeLong et al., Biometrics 44)."""
    lost, variance = before - after, 0.0
    for own in (signal, ~signal):
        share = weight[own] / weight[own].sum()
        variance += float(np.sum((share * (lost[own] - np.sum(share * lost[own]))) ** 2))
    share = weight[signal] / weight[signal].sum()
    areas = [float(np.sum(share * placed[signal])) for placed in (before, after)]
    return Loss(areas[0], areas[1], float(np.sqrt(variance)))


def _said(converted: Converted, events: Events) -> Arrays:
    """Return what the graph says of events, by name."""
    session = open_session(converted.proto.SerializeToString())
    parts = []
    for batch in batches(events):
        inputs = batch.inputs()
        parts.append(ask(session, {name: inputs[name] for name in converted.inputs}))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _mtt_error(
    assignment: NDArray[np.int32],
    neutrinos: NDArray[np.float32],
    events: Events,
    mass: NDArray[np.float64],
) -> float:
    """Return the median of |m(ttbar) / truth - 1|."""
    jets, leptons = at(four_momenta(events, "jets"), assignment), four_momenta(events, "leptons")
    return float(np.median(np.abs(ttbar_mass(top_pair(jets, leptons, neutrinos)) / mass - 1)))
