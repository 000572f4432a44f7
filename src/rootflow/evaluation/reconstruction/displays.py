"""Events picked to be looked at, as plain data."""

from collections.abc import Sequence

import numpy as np

from rootflow.evaluation.reconstruction.metrics import both_right
from rootflow.evaluation.reconstruction.results import Display, Particle
from rootflow.evaluation.reconstruction.sample import Candidate, EventsWithTruth
from rootflow.methods.reconstruction.objects import four_momenta
from rootflow.physics.kinematics import FloatArray
from rootflow.physics.ttbar import Decay


def displays_of(candidate: Candidate, sample: EventsWithTruth, count: int) -> tuple[Display, ...]:
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
    return tuple(
        _display(reason, candidate, sample, int(event))
        for reason, of, rank in picked
        for event in np.flatnonzero(of)[np.argsort(-rank[of], kind="stable")[:count]]
    )


def _display(reason: str, candidate: Candidate, sample: EventsWithTruth, event: int) -> Display:
    events, true, reconstructed = sample.events, sample.decay, candidate.decay
    assert reconstructed is not None  # noqa: S101 - only methods with neutrinos are displayed
    taken = events.take(np.array([event]))
    slots = np.flatnonzero(taken.jet_mask[0])
    roles = [
        {int(b): "b", int(bbar): "bbar"}
        for b, bbar in (sample.assignment[event], candidate.answers.assignment[event])
    ]
    jets = [":".join(("jet", *(role.get(int(slot), "other") for role in roles))) for slot in slots]
    met, phi = (taken.met[0, taken.features["met"].index(name)] for name in ("pt", "phi"))
    return Display(
        reason=reason,
        method=candidate.name,
        event=events.in_words(event),
        file_index=int(events.file_index[event]),
        score=float(candidate.answers.scores[event]),
        measured=(
            *_particles(jets, four_momenta(taken, "jets")[0, slots]),
            *_particles(("l+", "l-"), four_momenta(taken, "leptons")[0]),
            *_particles(("met",), np.array([[met * np.cos(phi), met * np.sin(phi), 0.0]])),
        ),
        generated=_of_decay(true, event),
        reconstructed=_of_decay(reconstructed, event),
    )


def _of_decay(decay: Decay, event: int) -> tuple[Particle, ...]:
    neutrinos = _particles(("nu", "nubar"), decay.neutrinos[event])
    return neutrinos + _particles(("t", "tbar"), decay.tops[event])


def _particles(kinds: Sequence[str], momenta: FloatArray) -> tuple[Particle, ...]:
    return tuple(
        Particle(kind, *map(float, momentum[:3]))
        for kind, momentum in zip(kinds, momenta, strict=True)
    )
