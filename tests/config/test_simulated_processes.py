import pytest
from pydantic import ValidationError

from rootflow.config.simulation import (
    DileptonGeneratorConfig,
    DileptonProcessConfig,
    DileptonSimulationConfig,
    FourLeptonCrossSectionsConfig,
    FourLeptonGeneratorConfig,
    FourLeptonProcessConfig,
    FourLeptonSimulationConfig,
    GeneratorCrossSectionConfig,
    PublishedCrossSectionConfig,
)
from rootflow.errors import UsageError

# arXiv:1610.07922 and PDG 2022: BR(H -> ZZ), BR(Z -> ee), BR(Z -> mumu), BR(Z -> tautau).
H_TO_ZZ, Z_TO_E, Z_TO_MU, Z_TO_TAU = 0.02619, 0.033632, 0.033662, 0.033696


def test_the_branching_ratios_are_products_of_those_of_the_steps() -> None:
    numbers = FourLeptonCrossSectionsConfig()
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


@pytest.mark.parametrize(
    ("process", "taus", "expected"),
    # 832 pb (NNLO and NNLL), 6077 pb of three flavours (FEWZ), 118.7 pb (NNLO); PDG 2022.
    [
        ("ttbar", False, 831.76 * (0.1071 + 0.1063) ** 2),
        ("z_jets", False, 6077.22 * 2 / 3),
        ("z_jets", True, 6077.22),
        ("ww", False, 118.7 * (0.1071 + 0.1063) ** 2),
        ("ww", True, 118.7 * (0.1071 + 0.1063 + 0.1138) ** 2),
    ],
)
def test_dilepton_cross_sections_count_the_decays(
    process: str, taus: bool, expected: float
) -> None:
    config = DileptonSimulationConfig(generator=DileptonGeneratorConfig(taus=taus))
    found = config.of(process).cross_section
    assert isinstance(found, PublishedCrossSectionConfig)
    assert found.cross_section_pb == pytest.approx(expected, rel=1e-6)


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
    pairs = DileptonSimulationConfig().of("ww")
    assert DileptonProcessConfig.model_validate_json(pairs.model_dump_json()) == pairs
