"""The expected yield, against the published cross sections."""

import awkward as ak
import numpy as np
import pytest

from rootflow.config.detector import (
    FourLeptonDetectorConfig,
    LooseElectronsConfig,
    LooseMuonsConfig,
)
from rootflow.config.simulation import FourLeptonSimulationConfig, LooseLeptonsConfig
from rootflow.simulation.chunk import make_chunk
from rootflow.simulation.ntuple import Generation, Ntuple, cross_section_pb, normalise

LUMINOSITY_PB_INVERSE = 10_000.0
EVERYTHING = LooseLeptonsConfig(leptons_min=0)


def _yield(ntuple: Ntuple) -> float:
    events = ntuple.events
    return float(ak.sum(events.mcWeight * events.XSection / events.SumWeights)) * (
        LUMINOSITY_PB_INVERSE
    )


@pytest.mark.parametrize(
    ("process", "expected"),
    # 10/fb x 48.58 pb x 1.240e-4 and x 3.782 pb x 1.240e-4 (arXiv:1610.07922).
    [("ggH", 60.24), ("VBFH", 4.690)],
)
def test_without_a_selection_the_yield_is_the_published_one(
    process: str, expected: float, quick_four_leptons: FourLeptonSimulationConfig
) -> None:
    config = quick_four_leptons.model_copy(update={"selection": EVERYTHING}).of(process)
    ntuple = make_chunk(config, seed=1, chunk=0, events=40)
    assert ntuple.generation.events == 40
    cross_section = cross_section_pb(config, ntuple.generation)
    assert _yield(normalise(ntuple, cross_section)) == pytest.approx(expected, rel=1e-4)


def test_a_selection_keeps_its_share_of_the_yield(
    quick_four_leptons: FourLeptonSimulationConfig,
) -> None:
    """Each of four leptons is found with 70 %: 0.7^4 of the events in the acceptance are left."""
    wide = LooseLeptonsConfig(
        electron_pt_min_gev=0.01, muon_pt_min_gev=0.01, electron_eta_max=20.0, muon_eta_max=20.0
    )
    detector = FourLeptonDetectorConfig(
        electrons=LooseElectronsConfig(efficiency=0.7), muons=LooseMuonsConfig(efficiency=0.7)
    )
    generator = quick_four_leptons.generator.model_copy(
        update={"settings": ["HadronLevel:all = off"]}
    )
    config = quick_four_leptons.model_copy(
        update={"selection": wide, "detector": detector, "generator": generator}
    ).of("ggH")
    ntuple = make_chunk(config, seed=1, chunk=0, events=400)
    events = normalise(ntuple, cross_section_pb(config, ntuple.generation))
    share = 0.7**4
    error = np.sqrt((1 - share) / 400)
    assert _yield(events) == pytest.approx(60.24 * share, rel=4 * error)


def test_the_generators_cross_section_is_scaled() -> None:
    config = FourLeptonSimulationConfig().of("ZZ")
    assert cross_section_pb(config, Generation(10, 10.0, 0.07)) == pytest.approx(1.57 * 0.07)


def test_weights_are_summed_not_counted(quick_four_leptons: FourLeptonSimulationConfig) -> None:
    """A generator that biases its events gives them weights: the yield stays the same."""
    biased = quick_four_leptons.generator.model_copy(
        update={"settings": ["PhaseSpace:bias2Selection = on", "PhaseSpace:bias2SelectionPow = 1"]}
    )
    config = quick_four_leptons.model_copy(
        update={"selection": EVERYTHING, "generator": biased}
    ).of("ZZ")
    ntuple = make_chunk(config, seed=1, chunk=0, events=60)
    assert ak.std(ntuple.events.mcWeight) > 0
    assert ntuple.generation.sum_of_weights == pytest.approx(ak.sum(ntuple.events.mcWeight))
    assert _yield(normalise(ntuple, 2.0)) == pytest.approx(20_000, rel=1e-5)
