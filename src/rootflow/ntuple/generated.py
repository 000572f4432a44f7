"""Top quarks and their decays among generated particles, and the jets of their quarks.

What NanoAOD keeps of particles, and the bits of their status flags, are documented for each of its
versions at https://cms-xpog.docs.cern.ch/autoDoc/ (GenPart); what the flags mean is said in
DataFormats/HepMCCandidate/interface/GenStatusFlags.h of https://github.com/cms-sw/cmssw.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.ntuple.columns import Rows
from rootflow.ntuple.objects import NONE, Objects, Places
from rootflow.ntuple.truth import LEPTONS, NEUTRINOS, P3, is_one_of, momenta, two_sides
from rootflow.ntuple.units import (
    BranchColumn,
    FourMomentum,
    GeneratedParticles,
    JetMatching,
    Momentum,
)
from rootflow.physics.kinematics import delta_r

DOWN_TYPE, TOP, W_BOSON = (1, 3, 5), 6, 24
IS_PROMPT, FROM_HARD_PROCESS, IS_LAST_COPY = 0, 8, 13
# Of t, and of tbar.
SIGNS = (1, -1)


class Particles(NamedTuple):
    """The generated particles of n events of a file, one event after another.

    `event`, `pdg_id`, `flags` and `mother` are (particles,); the mother is a place among all of
    them, -1 where there is none. The lists in the file have these `offsets`.
    """

    rows: Rows
    columns: GeneratedParticles
    offsets: Places
    event: Places
    pdg_id: Places
    flags: Places
    mother: Places

    def has(self, bit: int) -> NDArray[np.bool_]:
        """Return (particles,) which of them have a status flag."""
        return (self.flags >> bit & 1).astype(np.bool_)

    def is_one_of(self, *kinds: int) -> NDArray[np.bool_]:
        """Return (particles,) whether the absolute PDG number is one of these."""
        return is_one_of(np.abs(self.pdg_id), kinds)

    def pdg_id_at(self, places: Places) -> Places:
        """Return the PDG numbers of the particles at these places, 0 where there is none."""
        return _at(self.pdg_id, places)

    def first(self, places: Places, of: Places) -> Places:
        """Return (n, 2) the first of some particles in each event: that of t, that of tbar.

        `of` is the PDG number of the top quark that each is of.
        """
        found = np.full((len(self.offsets) - 1, 2), NONE)
        for side, sign in enumerate(SIGNS):
            place = places[of == sign * TOP][::-1]
            found[self.event[place], side] = place
        return found

    def values(self, column: BranchColumn, places: Places) -> NDArray[Any]:
        """Return the numbers in the file of the particles at these places, 0 where there is none.

        What the other particles have there is not looked at.
        """
        return _at(self.rows.objects(column, self.offsets), places)

    def momenta(
        self, places: Places, momentum: Momentum, names: tuple[str, ...]
    ) -> NDArray[np.float32]:
        """Return (n, 2, names) components in GeV of particles (n, 2), zeros where there is none."""
        columns = momentum.coordinates().items()
        sides = []
        for place in places.T:
            raw = {name: self.values(column, place) for name, column in columns}
            sides.append(momenta(self.rows, momentum, names, place != NONE, raw))
        return two_sides(*sides)


def _at(values: NDArray[Any], places: Places) -> NDArray[Any]:
    if not len(values):
        return np.zeros(places.shape, dtype=values.dtype)
    found = values.take(places, mode="clip")
    found[places == NONE] = 0
    return found


class TopDecays(NamedTuple):
    """Where what tops decay to is among all particles, (n, 2): of t and of tbar, -1 of none.

    The top quark is the last copy, after its radiation; the others are what it and its W boson
    decay to, before theirs: later copies have a copy as their mother. The lepton may be a tau.
    """

    top: Places
    quark: Places
    lepton: Places
    neutrino: Places


def read_generated(
    rows: Rows, columns: GeneratedParticles, matching: JetMatching | None, jets: Objects | None
) -> dict[str, NDArray[Any]]:
    """Return what the generator says of events, as `read_truth` does.

    Jets are matched to quarks where both are given.
    """
    particles = _particles(rows, columns)
    decays = find_decays(particles)
    direction = {"pt": columns.pt, "eta": columns.eta, "phi": columns.phi}
    momentum = Momentum(**direction)
    found: dict[str, NDArray[Any]] = {
        "neutrinos": particles.momenta(decays.neutrino, momentum, P3),
        "dileptonic": np.all(decays.neutrino != NONE, axis=1),
        "true_leptons": particles.momenta(decays.lepton, momentum, P3),
        "tops": particles.momenta(
            decays.top, FourMomentum(**direction, mass=columns.mass), (*P3, "energy")
        ),
    }
    if matching is not None and jets is not None:
        eta, phi = (
            np.stack([particles.values(column, place) for place in decays.quark.T], axis=-1)
            for column in (columns.eta, columns.phi)
        )
        found["jet_index"] = match_jets(_distances(jets, eta, phi, decays.quark != NONE), matching)
    return found


def _distances(
    jets: Objects, eta: NDArray[Any], phi: NDArray[Any], there: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return (n, 2, most jets of an event) how far jets that count are from two quarks (n, 2).

    They are infinitely far from what is not there.
    """
    event = jets.event()
    place = np.arange(len(event)) - jets.offsets[event]
    apart = np.full((*there.shape, int(jets.counts().max(initial=0))), np.inf)
    for side in range(2):
        wanted = there[event, side] if jets.passes is None else there[event, side] & jets.passes
        jet = np.flatnonzero(wanted)
        of = event[jet]
        directions = (jets.columns["eta"][jet], jets.columns["phi"][jet])
        apart[of, side, place[jet]] = delta_r(*directions, eta[of, side], phi[of, side])
    return apart


def _particles(rows: Rows, columns: GeneratedParticles) -> Particles:
    offsets = rows.lists(columns.pdg_id).offsets
    counts = np.diff(offsets)
    event = np.repeat(np.arange(len(counts)), counts)

    def integers(column: BranchColumn) -> Places:
        values = rows.objects(column, offsets)
        if values.dtype.kind not in "iu":
            raise rows.wrong(column, "does not hold integers")
        return values.astype(np.int64)

    mother = integers(columns.mother)
    rows.refuse_where(
        (mother < NONE) | (mother >= counts[event]),
        columns.mother,
        "is {}, which is no place among the event's {} particles (from 0; -1 for none): is it the "
        "right branch in the branch map?",
        mother,
        counts[event],
        offsets=offsets,
    )
    mother = np.where(mother == NONE, NONE, offsets[event] + mother)
    flags, pdg_id = integers(columns.status_flags), integers(columns.pdg_id)
    return Particles(rows, columns, offsets, event, pdg_id, flags, mother)


def find_decays(particles: Particles) -> TopDecays:
    """Return the decays of the tops of each event; several of one charge are an InputError."""
    pdg_id, rows = particles.pdg_id, particles.rows
    last_top = particles.is_one_of(TOP) & particles.has(IS_LAST_COPY)
    for sign in SIGNS:
        place = np.flatnonzero(last_top & (pdg_id == sign * TOP))
        counts = np.bincount(particles.event[place], minlength=len(particles.offsets) - 1)
        rows.refuse_where(
            counts > 1,
            particles.columns.pdg_id,
            f"is {sign * TOP} of {{}} particles that are last copies: what is found are the decays "
            f"of one t and one tbar",
            counts,
        )
    tops = np.flatnonzero(last_top)
    # A down-type quark, not always a b; those of gluons that a top radiates are not of the process.
    quarks = np.flatnonzero(particles.is_one_of(*DOWN_TYPE) & particles.has(FROM_HARD_PROCESS))
    mother = particles.pdg_id_at(particles.mother[quarks])
    mother[np.sign(mother) != np.sign(pdg_id[quarks])] = 0
    prompt = particles.has(IS_PROMPT)
    leptons, neutrinos = (
        np.flatnonzero(prompt & particles.is_one_of(*kinds)) for kinds in (LEPTONS, NEUTRINOS)
    )
    return TopDecays(
        top=particles.first(tops, pdg_id[tops]),
        quark=particles.first(quarks, mother),
        lepton=particles.first(leptons, _origin(particles, leptons)),
        neutrino=particles.first(neutrinos, _origin(particles, neutrinos)),
    )


def _origin(particles: Particles, places: Places) -> Places:
    """Return the PDG numbers of what the particles at these places are of, beyond W bosons."""
    ancestor = particles.mother[places]
    for _ in range(int(np.diff(particles.offsets).max(initial=0)) + 1):
        passed = np.flatnonzero(np.abs(particles.pdg_id_at(ancestor)) == W_BOSON)
        if not len(passed):
            return particles.pdg_id_at(ancestor)
        ancestor[passed] = particles.mother[ancestor[passed]]
    event = int(particles.event[places[passed[0]]])
    raise particles.rows.wrong(
        particles.columns.mother, "has W bosons that are their own ancestors", event
    )


def match_jets(apart: NDArray[np.float64], matching: JetMatching) -> Places:
    """Return (n, 2) the jet of each of two quarks, -1 of none, from distances (n, 2, jets)."""
    if not apart.shape[-1]:
        return np.full(apart.shape[:2], NONE)
    smallest, matched = _nearest(apart, matching.radius)
    shared = np.flatnonzero((matched[:, 0] == matched[:, 1]) & (matched[:, 0] != NONE))
    if matching.ambiguity == "neither":
        matched[shared] = NONE
        return matched
    further = np.where(smallest[shared, 0] <= smallest[shared, 1], 1, 0)
    left = apart[shared, further]
    np.put_along_axis(left, matched[shared, further, np.newaxis], np.inf, axis=-1)
    matched[shared, further] = (
        _nearest(left, matching.radius)[1] if matching.ambiguity == "next" else NONE
    )
    return matched


def _nearest(apart: NDArray[np.float64], radius: float) -> tuple[NDArray[np.float64], Places]:
    """Return how near the nearest of (..., jets) is, and which it is, -1 beyond the radius."""
    smallest = apart.min(axis=-1)
    return smallest, np.where(smallest < radius, apart.argmin(axis=-1), NONE)
