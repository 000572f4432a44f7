import keras
import numpy as np
import vector

from rootflow.models.kinematics import distance, mass, momentum, transverse

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
    parts = (item.pt, item.eta, item.phi, item.energy)
    return momentum(*(np.float32(part)[:, None] for part in parts), axis=-1)


def test_the_mass_of_a_pair_is_that_of_vector() -> None:
    first, second = two_sets(1000)
    ours = mass(as_tensor(first) + as_tensor(second))
    np.testing.assert_allclose(ours, (first + second).mass, rtol=1e-3)


def test_the_mass_is_taken_along_any_axis() -> None:
    momenta = np.moveaxis(keras.ops.convert_to_numpy(as_tensor(two_sets(6)[0])), -1, 0)
    ours = mass(momenta.reshape(4, 2, 3), axis=-3)
    np.testing.assert_allclose(ours, np.reshape(mass(momenta, axis=-2), (2, 3)))


def test_the_transverse_momentum_of_a_pair_is_that_of_vector() -> None:
    first, second = two_sets(1000)
    ours = transverse(as_tensor(first) + as_tensor(second))
    np.testing.assert_allclose(ours, (first + second).pt, rtol=1e-4, atol=1e-3)


def test_the_distance_is_that_of_vector_also_across_the_seam_in_phi() -> None:
    first, second = two_sets(1000)
    assert np.any(np.abs(first.phi - second.phi) > np.pi)
    ours = distance(np.float32(first.eta - second.eta), np.float32(first.phi - second.phi))
    np.testing.assert_allclose(ours, first.deltaR(second), rtol=1e-4)


def test_rounding_does_not_make_a_mass_that_is_not_a_number() -> None:
    assert float(mass(np.float32([[30.0, 40.0, 0.0, 49.9]]))[0]) == 0.0
