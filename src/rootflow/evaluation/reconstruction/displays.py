"""Events picked to be looked at, as plain data."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.reconstruction.metrics import both_right
from rootflow.evaluation.reconstruction.results import Display, Particle
from rootflow.evaluation.reconstruction.sample import Candidate, Sample
from rootflow.methods.reconstruction.objects import four_momenta
from rootflow.physics.kinematics import FloatArray

NEUTRINOS, TOPS = ("nu", "nubar"), ("t", "tbar")


def displays_of(candidate: Candidate, sample: Sample, count: int) -> tuple[Display, ...]:
    """Return events of a method with neutrinos, `count` of each kind.

    They are the most confident that are right and that are wrong, the least confident, and
    those whose m(ttbar) is furthest off.
    """
    mtt, true = candidate.values["mtt"], sample.values["mtt"]
    both = both_right(candidate, sample)
    among = candidate.solved & sample.matched
    scores = np.where(among, candidate.answers.scores, -np.inf)
    picked = (
        ("most confident, both right", among & both, scores),
        ("most confident, wrong", among & ~both, scores),
        ("least confident", among, -scores),
        ("m(tt̄) furthest from the truth", among, np.abs(mtt - true)),
    )
    largest = {
        reason: np.flatnonzero(of)[np.argsort(-rank[of], kind="stable")[:count]]
        for reason, of, rank in picked
    }
    return tuple(
        _display(reason, candidate, sample, int(event))
        for reason, events in largest.items()
        for event in events
    )


def _display(reason: str, candidate: Candidate, sample: Sample, event: int) -> Display:
    events, one = sample.events, np.array([event])
    taken = events.take(one)
    jets, leptons = four_momenta(taken, "jets")[0], four_momenta(taken, "leptons")[0]
    met, phi = (taken.met[0, taken.features["met"].index(name)] for name in ("pt", "phi"))
    measured = [
        _particle(f"jet:{_role(slot, sample.assignment[event])}:"
                  f"{_role(slot, candidate.answers.assignment[event])}", momentum)
        for slot, momentum in enumerate(jets)
        if taken.jet_mask[0, slot]
    ]  # fmt: skip
    measured += [
        _particle(kind, momentum) for kind, momentum in zip(("l+", "l-"), leptons, strict=True)
    ]
    measured.append(_particle("met", np.array([met * np.cos(phi), met * np.sin(phi), 0.0])))
    decay = candidate.decay
    assert decay is not None  # noqa: S101 - only methods with neutrinos are displayed
    return Display(
        reason=reason,
        method=candidate.name,
        event=events.in_words(event),
        file_index=int(events.file_index[event]),
        score=float(candidate.answers.scores[event]),
        measured=tuple(measured),
        generated=_particles(sample.decay.neutrinos[event], sample.decay.tops[event]),
        reconstructed=_particles(decay.neutrinos[event], decay.tops[event]),
    )


def _particles(neutrinos: FloatArray, tops: FloatArray) -> tuple[Particle, ...]:
    return tuple(
        _particle(kind, momentum)
        for kinds, momenta in ((NEUTRINOS, neutrinos), (TOPS, tops))
        for kind, momentum in zip(kinds, momenta, strict=True)
    )


def _particle(kind: str, momentum: NDArray[np.floating]) -> Particle:
    return Particle(kind, *(float(component) for component in momentum[:3]))


def _role(slot: int, assignment: Sequence[int] | NDArray[np.int32]) -> str:
    return {int(assignment[0]): "b", int(assignment[1]): "bbar"}.get(slot, "other")
