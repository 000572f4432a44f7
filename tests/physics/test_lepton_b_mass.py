from pathlib import Path

import numpy as np
import pytest
import uproot
import vector
from scipy import integrate, stats

from rootflow.physics.smeared_ellipses import lepton_b_density

TOP_MASS, W_MASS = 172.5, 80.379
EDGE = np.sqrt(TOP_MASS**2 - W_MASS**2)


def density(mass: float) -> float:
    return lepton_b_density(mass**2, TOP_MASS, W_MASS)


def test_it_is_a_density_up_to_the_edge() -> None:
    assert integrate.quad(density, 0, EDGE)[0] == pytest.approx(1, abs=1e-7)
    assert density(EDGE + 0.01) == 0
    assert lepton_b_density(-1e-9, TOP_MASS, W_MASS) == 0


def test_mean_square_is_that_of_the_helicity_fractions() -> None:
    # <cos theta*> of the left-handed part is -1/2, of the longitudinal part 0.
    left_handed = 2 * W_MASS**2 / (TOP_MASS**2 + 2 * W_MASS**2)
    expected = EDGE**2 / 2 * (1 - left_handed / 2)
    found, _ = integrate.quad(lambda mass: mass**2 * density(mass), 0, EDGE)
    assert found == pytest.approx(expected, rel=1e-6)


def test_the_simulation_has_this_spectrum(ttbar_files: list[Path]) -> None:
    def momentum(name: str) -> vector.VectorNumpy4D:
        return vector.array(
            {part: branches[f"Ttbar_MC_{name}_from_t_{part}"] for part in ("pt", "eta", "phi")}
            | {"mass": branches[f"Ttbar_MC_{name}_from_t_m"]}
        )

    with uproot.open(ttbar_files[0]) as file:
        branches = file["reco"].arrays(filter_name="Ttbar_MC_*_from_t_*", library="np")
    first = np.isin(np.abs(branches["Ttbar_MC_Wdecay1_afterFSR_from_t_pdgId"]), [11, 13])
    b_quark = momentum("b")
    masses = []
    for name, chosen in (("Wdecay1_afterFSR", first), ("Wdecay2_afterFSR", ~first)):
        lepton = momentum(name)[chosen]
        # In MeV; the selection of reconstructed events takes hardly from soft masses only.
        masses.append((b_quark[chosen] + lepton).mass / 1000)
    found = np.concatenate(masses)
    in_range = found[(found > 60) & (found < 145)]
    total = integrate.quad(density, 60, 145)[0]

    def cumulative(mass: float) -> float:
        return integrate.quad(density, 60, mass)[0] / total

    distance = stats.kstest(in_range[:4000], np.vectorize(cumulative)).statistic
    assert distance < 0.05
