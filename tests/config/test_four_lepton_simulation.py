import pytest
from pydantic import ValidationError

from rootflow.config import FourLeptonProcessConfig, FourLeptonSimulationConfig
from rootflow.config.four_lepton_simulation import (
    CrossSectionsConfig,
    FourLeptonGeneratorConfig,
    GeneratorCrossSectionConfig,
    PublishedCrossSectionConfig,
)
from rootflow.errors import UsageError

# arXiv:1610.07922 and PDG 2022: BR(H -> ZZ), BR(Z -> ee), BR(Z -> mumu), BR(Z -> tautau).
H_TO_ZZ, Z_TO_E, Z_TO_MU, Z_TO_TAU = 0.02619, 0.033632, 0.033662, 0.033696


def test_the_branching_ratios_are_products_of_those_of_the_steps() -> None:
    numbers = CrossSectionsConfig()
    # Interference of identical leptons adds some per cent to the products.
    assert numbers.branching_ratio == pytest.approx(H_TO_ZZ * (Z_TO_E + Z_TO_MU) ** 2, rel=0.06)
    assert numbers.branching_ratio_with_taus == pytest.approx(
        H_TO_ZZ * (Z_TO_E + Z_TO_MU + Z_TO_TAU) ** 2, rel=0.06
    )


def test_a_process_has_its_own_events_and_cross_section() -> None:
    config = FourLeptonSimulationConfig(events={"ggH": 7, "ZZ": 9}, workers=3)
    gluons, pairs = config.of("ggH"), config.of("ZZ")
    assert (gluons.process, gluons.events, gluons.workers) == ("ggH", 7, 3)
    # 48.58 pb x 1.240e-4 = 6.024 fb.
    assert gluons.cross_section == PublishedCrossSectionConfig(cross_section_pb=48.58 * 1.240e-4)
    assert gluons.cross_section.cross_section_pb * 1000 == pytest.approx(6.024, abs=0.001)
    assert pairs.cross_section == GeneratorCrossSectionConfig(k_factor=1.57)


def test_taus_have_their_own_branching_ratio() -> None:
    config = FourLeptonSimulationConfig(generator=FourLeptonGeneratorConfig(taus=True))
    expected = PublishedCrossSectionConfig(cross_section_pb=3.782 * 2.745e-4)
    assert config.of("VBFH").cross_section == expected


def test_a_process_that_is_not_configured_is_refused() -> None:
    config = FourLeptonSimulationConfig(events={"ggH": 7, "ZZ": 9})
    for process in ("VBFH", "ttbar"):
        with pytest.raises(UsageError, match=f"no process '{process}': simulated are ggH, ZZ"):
            config.of(process)
    with pytest.raises(ValidationError, match="'ggH', 'VBFH' or 'ZZ'"):
        FourLeptonSimulationConfig(events={"ttbar": 7})  # type: ignore[dict-item]


def test_a_process_outlives_its_json() -> None:
    for process in ("ggH", "ZZ"):
        config = FourLeptonSimulationConfig().of(process)
        assert FourLeptonProcessConfig.model_validate_json(config.model_dump_json()) == config
