import numpy as np
import pytest
import vector

from rootflow.config.detector import TracksConfig
from rootflow.simulation.leptons import measure_impact_parameters

EXACT = TracksConfig(d0_at_high_pt_mm=1e-12, z0_sin_theta_at_high_pt_mm=1e-12)


def test_impact_parameters_are_those_of_the_nearest_point_of_the_line(
    rng: np.random.Generator,
) -> None:
    count = 50
    vertex = rng.normal(0, 5, (count, 3))
    momentum = vector.array(
        {
            "pt": rng.uniform(5, 50, count),
            "eta": rng.uniform(-2.5, 2.5, count),
            "phi": rng.uniform(-np.pi, np.pi, count),
            "mass": np.zeros(count),
        }
    )
    measured = measure_impact_parameters(momentum, vertex, EXACT, rng)
    # Independently: minimise the transverse distance along the line vertex + s p.
    direction = np.stack([momentum.px, momentum.py, momentum.pz], axis=-1)
    along = -(vertex[:, :2] * direction[:, :2]).sum(axis=1) / (direction[:, :2] ** 2).sum(axis=1)
    nearest = vertex + along[:, np.newaxis] * direction
    np.testing.assert_allclose(
        np.abs(measured.d0), np.hypot(nearest[:, 0], nearest[:, 1]), atol=1e-9
    )
    np.testing.assert_allclose(measured.z0, nearest[:, 2], atol=1e-9)


@pytest.mark.parametrize(("pt", "sigma"), [(1000.0, 0.010), (14.0, 0.0141)])
def test_resolutions_are_the_published_ones(
    pt: float, sigma: float, rng: np.random.Generator
) -> None:
    # 2008 JINST 3 S08003: 10 um x (1 (+) 14 GeV / pT), 91 um for z0 sin(theta) at high pT.
    count = 20_000
    ones = np.ones(count)
    momentum = vector.array({"pt": pt * ones, "eta": ones, "phi": ones, "mass": 0 * ones})
    measured = measure_impact_parameters(momentum, np.zeros((count, 3)), TracksConfig(), rng)
    np.testing.assert_allclose(measured.d0_resolution, sigma, rtol=0.005)
    assert (measured.d0 / measured.d0_resolution).std() == pytest.approx(1, abs=0.02)
    z0_sin_theta = measured.z0 / np.cosh(1.0)
    assert z0_sin_theta.std() == pytest.approx(0.091 * np.hypot(1, 2.3 / pt), rel=0.02)
