import itertools

import numpy as np
import pytest
import vector
from numpy.typing import NDArray

from rootflow.physics.four_leptons import FEATURES, Z_MASS_GEV, observables, z_pairing

Array = NDArray[np.float64]
ANGLES = ("cos_theta_star", "cos_theta_1", "cos_theta_2", "phi", "phi_1")
FLAVOURS = (-11, 11, 13, -13)


def direction(cosine: Array, azimuth: Array) -> Array:
    sine = np.sqrt(1 - cosine**2)
    return np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine], axis=-1)


def momentum(vectors: Array, mass: Array) -> vector.MomentumNumpy4D:
    return vector.array(
        {"px": vectors[:, 0], "py": vectors[:, 1], "pz": vectors[:, 2], "mass": mass}
    )


def sorted_leptons(
    particles: list[vector.MomentumNumpy4D], pdg_ids: tuple[int, ...] | NDArray[np.int64]
) -> Array:
    """Return (n, 4, 5) as events have them, falling in pT."""
    codes = np.broadcast_to(np.asarray(pdg_ids), (len(particles[0]), 4))
    leptons = np.stack(
        [
            np.stack([one.pt, one.eta, one.phi, one.energy, codes[:, place]], axis=-1)
            for place, one in enumerate(particles)
        ],
        axis=1,
    )
    order = np.argsort(-leptons[..., 0], axis=1)
    return np.take_along_axis(leptons, order[..., None], axis=1)


class Decays:
    """X -> Z1 Z2 -> e- e+ mu- mu+ at known masses and angles, built up from the rest frames.

    In the rest frame of X, with z' along Z1 and y' along z x z', the electron is at the
    azimuth pi - Phi1 and the muon at pi - Phi1 - Phi.
    """

    def __init__(self, count: int, seed: int, pt_scale: float = 40.0) -> None:
        random = np.random.default_rng(seed)
        self.m4l = random.uniform(170, 400, count)
        self.z1_mass, self.z2_mass = random.uniform(75, 105, count), random.uniform(12, 60, count)
        self.angles = {name: random.uniform(-1, 1, count) for name in ANGLES[:3]}
        self.angles |= {name: random.uniform(-np.pi, np.pi, count) for name in ANGLES[3:]}
        self.x = momentum(
            np.stack([random.normal(0, scale, count) for scale in (pt_scale, pt_scale, 300)], 1),
            self.m4l,
        )
        self.z_axis = direction(self.angles["cos_theta_star"], random.uniform(-np.pi, np.pi, count))
        y_axis = np.cross([0, 0, 1], self.z_axis)
        self.y_axis = y_axis / np.linalg.norm(y_axis, axis=1, keepdims=True)
        self.x_axis = np.cross(self.y_axis, self.z_axis)
        electron = np.pi - self.angles["phi_1"]
        self.electrons = self._pair(self.z1_mass, self.angles["cos_theta_1"], electron, 1)
        self.muons = self._pair(
            self.z2_mass, self.angles["cos_theta_2"], electron - self.angles["phi"], -1
        )

    def _pair(
        self, mass: Array, cosine: Array, azimuth: Array, side: int
    ) -> list[vector.MomentumNumpy4D]:
        """Return the leptons of a Z that goes along z' (side 1) or against it, in the lab."""
        other = self.z2_mass if side == 1 else self.z1_mass
        squared = (self.m4l**2 - (mass + other) ** 2) * (self.m4l**2 - (mass - other) ** 2)
        length = np.sqrt(squared) / (2 * self.m4l)
        boson = momentum(side * length[:, None] * self.z_axis, mass)
        local = direction(side * cosine, azimuth) * mass[:, None] / 2
        axes = np.stack([self.x_axis, self.y_axis, self.z_axis], axis=1)
        at_rest = np.einsum("ni,nij->nj", local, axes)
        massless = np.zeros(len(mass))
        pair = [momentum(sign * at_rest, massless) for sign in (1, -1)]
        return [lepton.boost_p4(boson).boost_p4(self.x) for lepton in pair]

    @property
    def leptons(self) -> Array:
        return sorted_leptons([*self.electrons, *self.muons], (11, -11, 13, -13))


@pytest.fixture(scope="module")
def decays() -> Decays:
    return Decays(5000, seed=3)


def test_names_and_units() -> None:
    said = observables(Decays(3, seed=1).leptons)
    assert list(said) == [name for name, _ in FEATURES]
    assert all(values.dtype == np.float64 and values.shape == (3,) for values in said.values())


def test_angles_of_decays_built_at_known_angles(decays: Decays) -> None:
    said = observables(decays.leptons)
    for name in ANGLES[:3]:
        np.testing.assert_allclose(said[name], decays.angles[name], atol=1e-7, err_msg=name)
    for name in ANGLES[3:]:
        apart = np.abs(np.exp(1j * said[name]) - np.exp(1j * decays.angles[name]))
        assert apart.max() < 1e-5, name


def test_masses_of_decays_built_at_known_masses(decays: Decays) -> None:
    said = observables(decays.leptons)
    np.testing.assert_allclose(said["m4l"], decays.m4l, rtol=1e-9)
    np.testing.assert_allclose(said["z1_mass"], decays.z1_mass, rtol=1e-6)
    np.testing.assert_allclose(said["z2_mass"], decays.z2_mass, rtol=1e-6)
    np.testing.assert_allclose(said["pt_4l"], decays.x.pt, rtol=1e-9)
    np.testing.assert_allclose(said["rapidity_4l"], decays.x.rapidity, rtol=1e-9)


def test_single_precision_is_enough(decays: Decays) -> None:
    exact = observables(decays.leptons)
    said = observables(decays.leptons.astype(np.float32))
    for name in ("m4l", "pt_4l", "z1_mass", "cos_theta_star"):
        np.testing.assert_allclose(said[name], exact[name], rtol=1e-3, atol=1e-3, err_msg=name)


def test_squares_of_pair_masses_add_up_for_massless_leptons(decays: Decays) -> None:
    # (p1 + p2 + p3 + p4)^2 = sum over pairs of 2 pi.pj where every pi^2 is zero.
    said = observables(decays.leptons)
    pairs = [name for name, _ in FEATURES if name.startswith("mass_")]
    assert len(pairs) == 6
    np.testing.assert_allclose(sum(said[name] ** 2 for name in pairs), said["m4l"] ** 2, rtol=1e-9)


def test_pair_masses_are_those_of_vector(decays: Decays) -> None:
    leptons = decays.leptons
    four = [
        vector.array(
            {name: leptons[:, slot, k] for k, name in enumerate(("pt", "eta", "phi", "energy"))}
        )
        for slot in range(4)
    ]
    said = observables(leptons)
    for first, second in itertools.combinations(range(4), 2):
        np.testing.assert_allclose(
            said[f"mass_{first + 1}{second + 1}"], (four[first] + four[second]).mass, rtol=1e-6
        )


def turned(leptons: Array, angle: float) -> Array:
    changed = leptons.copy()
    changed[..., 2] = (leptons[..., 2] + angle + np.pi) % (2 * np.pi) - np.pi
    return changed


def boosted_along_z(leptons: Array, rapidity: float) -> Array:
    """Move massless leptons: eta is their rapidity."""
    changed = leptons.copy()
    changed[..., 1] += rapidity
    changed[..., 3] = changed[..., 0] * np.cosh(changed[..., 1])
    return changed


def assert_equal_but(before: dict[str, Array], after: dict[str, Array], *changed: str) -> None:
    for name in set(before) - set(changed):
        np.testing.assert_allclose(after[name], before[name], rtol=1e-5, atol=1e-5, err_msg=name)


def test_nothing_depends_on_a_turn_about_the_beam(decays: Decays) -> None:
    assert_equal_but(observables(decays.leptons), observables(turned(decays.leptons, 2.1)))


def test_boosts_along_the_beam_change_only_what_the_z_axis_is_in(decays: Decays) -> None:
    before = observables(decays.leptons)
    after = observables(boosted_along_z(decays.leptons, 0.8))
    assert_equal_but(before, after, "rapidity_4l", "cos_theta_star", "phi_1")
    np.testing.assert_allclose(after["rapidity_4l"], before["rapidity_4l"] + 0.8, rtol=1e-9)


def test_boosts_along_the_beam_leave_all_angles_of_a_system_without_pt() -> None:
    leptons = Decays(2000, seed=5, pt_scale=0.0).leptons
    after = observables(boosted_along_z(leptons, -0.6))
    assert_equal_but(observables(leptons), after, "rapidity_4l")


def test_a_mirror_changes_the_sign_of_the_azimuths(decays: Decays) -> None:
    mirrored = decays.leptons
    mirrored[..., 2] *= -1
    before, after = observables(decays.leptons), observables(mirrored)
    assert_equal_but(before, after, "phi", "phi_1")
    np.testing.assert_allclose(after["phi"], -before["phi"], atol=1e-6)
    np.testing.assert_allclose(after["phi_1"], -before["phi_1"], atol=1e-6)


def random_leptons(count: int) -> Array:
    """Return leptons of no common origin, of all flavours and charges."""
    random = np.random.default_rng(11)
    momenta = [momentum(random.normal(0, 40, (count, 3)), np.full(count, 0.1)) for _ in range(4)]
    return sorted_leptons(momenta, random.choice(FLAVOURS, (count, 4)))


def test_pairing_is_that_of_trying_all() -> None:
    leptons = random_leptons(2000)
    said = z_pairing(leptons)
    values = observables(leptons)
    for event, four in enumerate(leptons):
        codes = four[:, 4]
        masses = {
            pair: values[f"mass_{pair[0] + 1}{pair[1] + 1}"][event]
            for pair in itertools.combinations(range(4), 2)
            if codes[pair[0]] == -codes[pair[1]]
        }
        whole = [(pair, left) for pair in masses for left in masses if not set(pair) & set(left)]
        assert said.valid[event] == bool(whole)
        assert said.lowest_mass[event] == pytest.approx(min(masses.values(), default=np.inf))
        if whole:
            z1, z2 = min(whole, key=lambda both: abs(masses[both[0]] - Z_MASS_GEV))
            for slots, pair in ((said.z1[event], z1), (said.z2[event], z2)):
                assert set(slots) == set(pair)
                assert codes[slots[0]] > 0 > codes[slots[1]]
            assert said.z1_mass[event] == pytest.approx(masses[z1])
            assert said.z2_mass[event] == pytest.approx(masses[z2])
    assert 0.1 < said.valid.mean() < 0.9


def test_without_two_pairs_there_are_no_bosons() -> None:
    leptons = random_leptons(2000)
    unpaired = ~z_pairing(leptons).valid
    said = observables(leptons)
    assert unpaired.any()
    for name in ("z1_mass", "z2_mass", *ANGLES):
        assert not said[name][unpaired].any()
        assert said[name][~unpaired].all()


def test_no_events() -> None:
    leptons = np.zeros((0, 4, 5), np.float32)
    assert all(len(values) == 0 for values in observables(leptons).values())
    assert len(z_pairing(leptons).valid) == 0
