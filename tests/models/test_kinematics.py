import keras
import numpy as np
import vector

from rootflow.models.kinematics import delta_r, mass, momentum, transverse

RANDOM = np.random.default_rng(3)


def two_sets(count: int) -> list[vector.MomentumNumpy4D]:
    return [
        vector.array(
            {
                "pt": RANDOM.uniform(20, 200, count),
                "eta": RANDOM.uniform(-2.5, 2.5, count),
                "phi": RANDOM.uniform(-np.pi, np.pi, count),
                "mass": RANDOM.uniform(0, 20, count),
            }
        )
        for _ in range(2)
    ]


def as_tensor(item: vector.MomentumNumpy4D) -> keras.KerasTensor:
    return momentum(*(np.float32(part) for part in (item.pt, item.eta, item.phi, item.energy)))


def test_the_mass_of_a_pair_is_that_of_vector() -> None:
    first, second = two_sets(1000)
    ours = mass(as_tensor(first) + as_tensor(second))
    np.testing.assert_allclose(ours, (first + second).mass, rtol=1e-3)


def test_the_transverse_momentum_of_a_pair_is_that_of_vector() -> None:
    first, second = two_sets(1000)
    ours = transverse(as_tensor(first) + as_tensor(second))
    np.testing.assert_allclose(ours, (first + second).pt, rtol=1e-4, atol=1e-3)


def test_the_distance_is_that_of_vector_also_across_the_seam_in_phi() -> None:
    first, second = two_sets(1000)
    assert np.any(np.abs(first.phi - second.phi) > np.pi)
    ours = delta_r(*(np.float32(p) for p in (first.eta, first.phi, second.eta, second.phi)))
    np.testing.assert_allclose(ours, first.deltaR(second), rtol=1e-4)


def test_rounding_does_not_make_a_mass_that_is_not_a_number() -> None:
    assert float(mass(np.float32([[30.0, 40.0, 0.0, 49.9]]))[0]) == 0.0
