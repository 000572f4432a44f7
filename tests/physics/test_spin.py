"""The spin correlation angles against `vector`, closed forms and generated events."""

import numpy as np
import pytest
import vector
from numpy.typing import NDArray

from rootflow.dataset import Events
from rootflow.methods.reconstruction.objects import four_momenta
from rootflow.physics.kinematics import four_momentum
from rootflow.physics.ttbar import (
    AXES,
    Decay,
    SpinAngles,
    decay_of,
    helicity_axes,
    spin_angles,
)

TOP_GEV = 172.5


def directions(random: np.random.Generator, count: int) -> NDArray[np.float64]:
    vectors = random.normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def correlated(random: np.random.Generator, count: int, c: float) -> list[NDArray[np.float64]]:
    """Return pairs of directions of the density 1 + c (first . second), c up to 1."""
    first, second = directions(random, 4 * count), directions(random, 4 * count)
    kept = 2 * random.random(4 * count) < 1 + c * np.sum(first * second, axis=1)
    return [first[kept][:count], second[kept][:count]]


def decays(random: np.random.Generator, leptons: list[NDArray[np.float64]]) -> Decay:
    """Return top pairs, boosted to the laboratory, with these leptons in the tops' rest frames."""
    count = len(leptons[0])
    size = random.exponential(150, count)[:, None] + 5
    top = size * directions(random, count)
    energy = np.hypot(size, TOP_GEV)
    pair = {"px": random.normal(0, 80, count), "py": random.normal(0, 80, count)}
    pair |= {"pz": random.normal(0, 500, count), "mass": 2 * energy[:, 0]}
    tops, found = [], []
    for sign, lepton in zip((1, -1), leptons, strict=True):
        quark = lorentz(np.concatenate([sign * top, energy], axis=1))
        of_lepton = lorentz(np.concatenate([50 * lepton, np.full((count, 1), 50)], axis=1))
        boosted = (quark, of_lepton.boost_p4(quark))
        quark, of_lepton = (each.boost_p4(vector.array(pair)) for each in boosted)
        tops.append(components(quark))
        found.append(components(of_lepton))
    neutrinos = np.zeros((count, 2, 3))
    return decay_of(np.stack(tops, axis=1), np.stack(found, axis=1), neutrinos)


def lorentz(momenta: NDArray[np.float64]) -> vector.VectorNumpy4D:
    return vector.array(dict(zip(("px", "py", "pz", "E"), momenta.T, strict=True)))


def components(momenta: vector.VectorNumpy4D) -> NDArray[np.float64]:
    return np.stack([momenta.px, momenta.py, momenta.pz, momenta.E], axis=-1)


def test_angles_are_those_of_boosts_by_vector() -> None:
    random = np.random.default_rng(1)
    decay = decays(random, [directions(random, 200), directions(random, 200)])
    found = spin_angles(decay)
    pair = lorentz(decay.tops.sum(axis=1))
    tops = [lorentz(decay.tops[:, side]).boostCM_of_p4(pair) for side in (0, 1)]
    leptons = [
        lorentz(decay.leptons[:, side]).boostCM_of_p4(pair).boostCM_of_p4(tops[side])
        for side in (0, 1)
    ]
    k, beam = tops[0].to_Vector3D().unit(), vector.obj(x=0, y=0, z=1)
    sign = np.sign(k.z)
    r = (beam - k.scale(k.z)).unit().scale(sign)
    n = k.cross(beam).unit().scale(-sign)
    for place, axis in enumerate((k, r, n)):
        for side, (cosines, toward) in enumerate(((found.positive, 1), (found.negative, -1))):
            expected = toward * leptons[side].to_Vector3D().unit().dot(axis)
            np.testing.assert_allclose(cosines[:, place], expected, atol=1e-9)
    unit = [lepton.to_Vector3D().unit() for lepton in leptons]
    np.testing.assert_allclose(found.c_hel(), unit[0].dot(unit[1]), atol=1e-9)
    # arXiv:2503.22382: the component along k of one lepton with the other sign.
    turned = unit[1] - k.scale(2 * unit[1].dot(k))
    np.testing.assert_allclose(found.c_han(), unit[0].dot(turned), atol=1e-9)


def test_axes_are_right_angled_and_turn_with_the_top() -> None:
    top = directions(np.random.default_rng(2), 100)
    axes = helicity_axes(top)
    np.testing.assert_allclose(
        np.einsum("nai,nbi->nab", axes, axes), np.broadcast_to(np.eye(3), (100, 3, 3)), atol=1e-12
    )
    # r, k, n are right-handed, and so again with t and tbar exchanged, as Bose symmetry wants.
    np.testing.assert_allclose(np.cross(axes[:, 0], axes[:, 1]), -axes[:, 2], atol=1e-12)
    turned = axes * np.array([-1, -1, 1])[:, np.newaxis]
    np.testing.assert_allclose(helicity_axes(-top), turned, atol=1e-12)


def test_isotropic_leptons_are_flat() -> None:
    random = np.random.default_rng(3)
    found = spin_angles(decays(random, [directions(random, 40_000), directions(random, 40_000)]))
    for values in (*found.positive.T, *found.negative.T, found.c_hel(), found.c_han()):
        counts, _ = np.histogram(values, bins=10, range=(-1, 1))
        assert np.sum((counts - 4000) ** 2 / 4000) < 30  # chi2 of 9 degrees of freedom


@pytest.mark.parametrize("c", [-0.9, 0.6])
def test_correlated_leptons_have_the_slope_given(c: float) -> None:
    # The density 1 + c l+ l- in any frame is 1 - C_ii cos+ cos- with C_ii = c, D = -c.
    random = np.random.default_rng(4)
    found = spin_angles(decays(random, correlated(random, 60_000, c)))
    error = 3 / np.sqrt(60_000)
    for axis in AXES:
        assert -9 * np.mean(found.product(axis, axis)) == pytest.approx(c, abs=4 * error)
        other = AXES[AXES.index(axis) - 1]
        assert -9 * np.mean(found.product(axis, other)) == pytest.approx(0, abs=4 * error)
    assert -3 * np.mean(found.c_hel()) == pytest.approx(-c, abs=4 * np.sqrt(3) / np.sqrt(60_000))
    assert 3 * np.mean(found.c_han()) == pytest.approx(c / 3, abs=4 * np.sqrt(3) / np.sqrt(60_000))


def test_a_top_along_the_beam_has_no_axes_but_its_own() -> None:
    np.testing.assert_array_equal(
        helicity_axes(np.array([[0.0, 0.0, 5.0]])), [[[0, 0, 1], [0, 0, 0], [0, 0, 0]]]
    )


def test_generated_leptons_are_physical(real_events: Events) -> None:
    # Pythia's top quarks decay without spin correlation; the cuts on the leptons leave a
    # little of one, and fewer leptons that fly against their top quark.
    leptons = four_momenta(real_events, "leptons")
    found: SpinAngles = spin_angles(decay_of(real_events.tops, leptons, real_events.neutrinos))
    lengths = [np.sum(cosines**2, axis=1) for cosines in found]
    np.testing.assert_allclose(lengths, 1, atol=1e-6)
    assert np.mean(found.positive[:, 0]) > 0.02
    assert np.mean(found.negative[:, 0]) > 0.02
    assert abs(np.mean(found.product("n", "n"))) < 0.01


def test_both_leptons_along_the_axis() -> None:
    # Back to back tops along x with leptons ahead of them: each has cos(theta_k) = 1.
    tops = four_momentum([[100] * 2], [[0] * 2], [[0, np.pi]], [[np.hypot(100, TOP_GEV)] * 2])
    leptons = four_momentum([[50] * 2], [[0] * 2], [[0, np.pi]], [[50] * 2])
    found = spin_angles(decay_of(tops, leptons, np.zeros((1, 2, 3))))
    assert found.positive[0, 0] == pytest.approx(1)
    assert found.negative[0, 0] == pytest.approx(1)
    assert found.c_hel()[0] == pytest.approx(-1)
    assert found.c_han()[0] == pytest.approx(1)
