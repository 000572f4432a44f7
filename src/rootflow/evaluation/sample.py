"""The events of an evaluation with their truth, and what each method made of them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.errors import ConformanceError, InputError, UsageError
from rootflow.physics.kinematics import FloatArray, transverse_momentum
from rootflow.physics.ttbar import top_pair, ttbar_mass
from rootflow.progress import progress
from rootflow.reconstruction.answers import check_answers
from rootflow.reconstruction.contract import Reconstruction, Reconstructor, description_of
from rootflow.reconstruction.objects import at, four_momenta


class Sample(NamedTuple):
    """n events with truth.

    Attributes
    ----------
    events
        The canonical arrays.
    assignment, neutrinos
        The truth of `events`: (n, 2) and (n, 2, 3).
    matched
        (n,) True where both b jets are matched.
    jets
        (n,) how many jets there are.
    top_pt
        (n,) true pT of the top quark, GeV.
    mtt
        (n,) true m(ttbar), GeV.
    """

    events: Events
    assignment: NDArray[np.int32]
    neutrinos: NDArray[np.float32]
    matched: NDArray[np.bool_]
    jets: NDArray[np.int64]
    top_pt: FloatArray
    mtt: FloatArray


class Candidate(NamedTuple):
    """A method and what it made of the sample.

    Attributes
    ----------
    name, description
        The method's; only classic methods have a description.
    answers
        What it said.
    neutrinos_of
        The method whose neutrinos complete the top quarks, None where none do.
    mtt
        (n,) reconstructed m(ttbar) in GeV, NaN where there is none.
    """

    name: str
    description: str | None
    answers: Reconstruction
    neutrinos_of: str | None
    mtt: FloatArray


def sample_of(events: Events) -> Sample:
    """Return the events with what is derived from their truth.

    Raises
    ------
    InputError
        There are no events, they have no truth, or none has both b jets matched.
    """
    if len(events) == 0:
        raise InputError("there is no event to evaluate on: the held-out fold is empty")
    if events.assignment is None or events.neutrinos is None or events.tops is None:
        raise InputError(
            "an evaluation needs the truth of every event (assignment, neutrinos, tops); "
            "this dataset has none: is it data?"
        )
    for name in ("neutrinos", "tops", "weight"):
        array = getattr(events, name)
        broken = ~np.all(np.isfinite(array.reshape(len(events), -1)), axis=1)
        if np.any(broken):
            raise InputError(
                f"{name} of {np.sum(broken)} of {len(events)} events to evaluate on are not "
                f"finite, the first is event number {events.event_number[np.argmax(broken)]}"
            )
    matched = events.matched
    if np.sum(events.weight) <= 0 or np.sum(events.weight[matched]) <= 0:
        raise InputError(
            f"of {len(events)} events to evaluate on {np.sum(matched)} have both b jets matched, "
            "with a sum of weights that is not positive: no metric exists"
        )
    return Sample(
        events=events,
        assignment=events.assignment,
        neutrinos=events.neutrinos,
        matched=matched,
        jets=np.sum(events.jet_mask, axis=1),
        top_pt=transverse_momentum(events.tops[:, 0]),
        mtt=ttbar_mass(events.tops),
    )


def candidates_of(
    sample: Sample, reconstructors: Sequence[Reconstructor], neutrinos: str
) -> list[Candidate]:
    """Return what every method makes of the sample.

    Parameters
    ----------
    sample
        The events.
    reconstructors
        The methods.
    neutrinos
        Whose neutrinos complete the top quarks of methods without their own: a method's
        name, `none`, or `model` for the first method that has some and is no classic one.

    Raises
    ------
    UsageError
        Two methods have one name, or `neutrinos` names none that has any.
    ConformanceError
        A method's answers are not what the contract says.
    """
    names = [reconstructor.name for reconstructor in reconstructors]
    if len(set(names)) < len(names):
        raise UsageError(f"each method needs a name of its own, these are {', '.join(names)}")
    answers = {}
    with progress("reconstruct", len(names), "methods") as advance:
        for reconstructor in reconstructors:
            name = reconstructor.name
            answers[name] = reconstructor.reconstruct(sample.events)
            try:
                check_answers(answers[name], sample.events)
            except ConformanceError as error:
                raise ConformanceError(f"{name}: {error}") from None
            advance(1, name)
    descriptions = {method.name: description_of(method) for method in reconstructors}
    lender = _lender(answers, descriptions, neutrinos)
    return [_candidate(sample, name, descriptions[name], answers, lender) for name in names]


def _lender(
    answers: dict[str, Reconstruction], descriptions: dict[str, str | None], neutrinos: str
) -> str | None:
    owners = [name for name, answer in answers.items() if answer.neutrinos is not None]
    if neutrinos == "none":
        return None
    if neutrinos == "model":
        return next((name for name in owners if descriptions[name] is None), None)
    if neutrinos not in owners:
        raise UsageError(
            f"evaluation.neutrinos: {neutrinos} gives no neutrinos here; "
            f"allowed: {', '.join(['model', 'none', *owners])}"
        )
    return neutrinos


def _candidate(
    sample: Sample,
    name: str,
    description: str | None,
    answers: dict[str, Reconstruction],
    lender: str | None,
) -> Candidate:
    answer = answers[name]
    neutrinos_of = name if answer.neutrinos is not None else lender
    neutrinos = answers[neutrinos_of].neutrinos if neutrinos_of else None
    mtt = np.full(len(sample.events), np.nan)
    if neutrinos is not None:
        solved = answer.solved & np.all(np.isfinite(neutrinos), axis=(1, 2))
        mtt[solved] = _mtt(sample.events.take(solved), answer.assignment[solved], neutrinos[solved])
    return Candidate(name, description, answer, neutrinos_of, mtt)


def _mtt(
    events: Events, assignment: NDArray[np.int32], neutrinos: NDArray[np.float32]
) -> FloatArray:
    b_jets = at(four_momenta(events, "jets"), assignment)
    return ttbar_mass(top_pair(b_jets, four_momenta(events, "leptons"), neutrinos))
