"""The events of an evaluation with their truth, and what each method made of them."""

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.errors import ConformanceError, InputError, UsageError
from rootflow.evaluation.reconstruction.observables import Values, values_of
from rootflow.evaluation.reconstruction.results import Cost
from rootflow.evaluation.results import check_finite
from rootflow.methods.conformance import check_answers
from rootflow.methods.contract import Reconstruction, Reconstructor
from rootflow.methods.reconstruction.objects import at, feature, four_momenta
from rootflow.physics.kinematics import massless
from rootflow.physics.ttbar import Decay, decay_of, top_pair
from rootflow.progress import progress


class EventsWithTruth(NamedTuple):
    """n events with truth.

    `assignment` (n, 2) is that of the events, `matched` (n,) where it has both b jets. `decay` is
    the true one, `values` the true observables (n,) by name, and what else is binned: jets, btags,
    and met in GeV.
    """

    events: Events
    assignment: NDArray[np.int32]
    matched: NDArray[np.bool_]
    decay: Decay
    values: Values


class Candidate(NamedTuple):
    """A method and what it made of the sample.

    Only classic methods have a description. `neutrinos_of` is the method whose neutrinos complete
    its top quarks, None where none do: then it has no decay and no values. `solved` (n,) is True
    where there are top quarks; elsewhere the decay is zero, and the observables (n,) by name are
    NaN.
    """

    method: Reconstructor
    name: str
    description: str | None
    answers: Reconstruction
    cost: Cost
    solved: NDArray[np.bool_]
    values: Values
    neutrinos_of: str | None = None
    decay: Decay | None = None

    @property
    def has_own_neutrinos(self) -> bool:
        """Whether it completes its top quarks itself."""
        return self.neutrinos_of == self.name

    @property
    def is_evaluated(self) -> bool:
        """Whether it has neutrinos of its own and is no classic method to compare with."""
        return self.has_own_neutrinos and self.description is None


def sample_of(events: Events, btag_min: float) -> EventsWithTruth:
    """Return the events with what is derived from their truth.

    The true decay is that of the true top quarks, neutrinos and leptons; where the events have no
    true leptons, it has the reconstructed ones. A jet is tagged from `btag_min` on. Events without
    truth, or none with both b jets matched, are an InputError.
    """
    if len(events) == 0:
        raise InputError("there is no event to evaluate on: the held-out fold is empty")
    if events.assignment is None or events.neutrinos is None or events.tops is None:
        raise InputError(
            "an evaluation needs the truth of every event (assignment, neutrinos, tops); "
            "this dataset has none: is it data?"
        )
    for name in ("neutrinos", "true_leptons", "tops", "weight"):
        array = getattr(events, name)
        if array is not None:
            check_finite(name, array, events)
    matched = events.matched
    if np.sum(events.weight) <= 0 or np.sum(events.weight[matched]) <= 0:
        raise InputError(
            f"of {len(events)} events to evaluate on {np.sum(matched)} have both b jets matched, "
            "with a sum of weights that is not positive: no metric exists"
        )
    true_leptons = events.true_leptons
    leptons = four_momenta(events, "leptons") if true_leptons is None else massless(true_leptons)
    decay = decay_of(events.tops, leptons, events.neutrinos)
    tagged = events.jet_mask & (feature(events, "jets", "btag") >= btag_min)
    return EventsWithTruth(
        events=events,
        assignment=events.assignment,
        matched=matched,
        decay=decay,
        values={
            **values_of(decay),
            "jets": np.sum(events.jet_mask, axis=1, dtype=np.float32),
            "btags": np.sum(tagged, axis=1, dtype=np.float32),
            "met": events.met[:, events.features["met"].index("pt")],
        },
    )


def candidates_of(
    events: Events, reconstructors: Sequence[Reconstructor], neutrinos: str
) -> list[Candidate]:
    """Return what every method makes of events, be they simulated or collisions.

    `neutrinos` says whose complete the top quarks of methods without their own: a method's name,
    `none`, or `model` for the first method that has some and is no classic one. Answers that are
    not what the contract says are a ConformanceError.
    """
    names = [reconstructor.name for reconstructor in reconstructors]
    if len(set(names)) < len(names):
        raise UsageError(f"each method needs a name of its own, these are {', '.join(names)}")
    found = []
    with progress("reconstruct", len(names), "methods") as advance:
        for method in reconstructors:
            start = time.perf_counter()
            answers = method.answer(events)
            seconds = time.perf_counter() - start
            try:
                check_answers(answers, events)
            except ConformanceError as error:
                raise ConformanceError(f"{method.name}: {error}") from None
            cost = Cost(seconds, len(events) / seconds, getattr(method, "parameters", None))
            nowhere, said = np.zeros_like(answers.solved), getattr(method, "description", None)
            found.append(Candidate(method, method.name, said, answers, cost, nowhere, {}))
            advance(1, method.name)
    owners = {each.name: each for each in found if each.answers.neutrinos is not None}
    if neutrinos not in ("model", "none", *owners):
        raise UsageError(
            f"evaluation.neutrinos: {neutrinos} gives no neutrinos here; "
            f"allowed: {', '.join(['model', 'none', *owners])}"
        )
    models = [name for name, each in owners.items() if each.description is None]
    lender = {"none": "", "model": next(iter(models), "")}.get(neutrinos, neutrinos)
    return [_completed(each, events, owners.get(each.name, owners.get(lender))) for each in found]


def _completed(candidate: Candidate, events: Events, owner: Candidate | None) -> Candidate:
    """Return a candidate with top quarks, by the neutrinos of an owner of some."""
    if owner is None or owner.answers.neutrinos is None:
        return candidate
    answers, neutrinos = candidate.answers, owner.answers.neutrinos
    solved = answers.solved & np.all(np.isfinite(neutrinos), axis=(1, 2))
    decay = reconstructed_decay(
        events,
        np.where(solved[:, np.newaxis], answers.assignment, 0),
        np.where(solved[:, np.newaxis, np.newaxis], neutrinos, 0),
    )
    values = {
        name: np.where(solved, found, np.float32(np.nan))
        for name, found in values_of(decay).items()
    }
    return candidate._replace(neutrinos_of=owner.name, solved=solved, decay=decay, values=values)


def reconstructed_decay(
    events: Events, assignment: NDArray[np.integer], neutrinos: NDArray[np.floating]
) -> Decay:
    """Return the decay of these jets (n, 2) and neutrinos (n, 2, 3)."""
    b_jets, leptons = at(four_momenta(events, "jets"), assignment), four_momenta(events, "leptons")
    return decay_of(top_pair(b_jets, leptons, neutrinos), leptons, neutrinos)
