import awkward as ak
import fastjet
import numpy as np
import pytest
import vector

from rootflow.config.detector import BTaggingConfig, JetsConfig, PileUpConfig
from rootflow.config.simulation import DileptonSelectionConfig
from rootflow.simulation.jets import (
    cluster,
    distance_to,
    is_hadron_with,
    is_measured_in_jets,
    jet_resolution,
    label_flavour,
    measure_jets,
    pile_up_jets,
    tag,
    without_overlap,
)
from rootflow.simulation.record import GeneratorRecord, TopDecays

MANY = 40_000


def _jets(pt: float, count: int, **fields: float) -> ak.Array:
    values = {"pt": pt, "eta": 0.0, "phi": 0.0, "mass": 0.0} | fields
    columns = {name: np.full(count, value) for name, value in values.items()}
    return ak.unflatten(ak.zip(columns, with_name="Momentum4D"), 2)


def test_a_batch_is_clustered_as_each_event_alone(record: GeneratorRecord) -> None:
    nobody = np.zeros(len(record.pdg_id), dtype=bool)
    particles = record.by_event(is_measured_in_jets(record, nobody, 4.9))
    jets = cluster(particles, JetsConfig())
    definition = fastjet.JetDefinition(fastjet.antikt_algorithm, 0.4)
    for event in range(3):
        pseudojets = [fastjet.PseudoJet(one.px, one.py, one.pz, one.E) for one in particles[event]]
        sequence = fastjet.ClusterSequence(pseudojets, definition)
        alone = sorted(jet.pt() for jet in sequence.inclusive_jets(10.0))
        np.testing.assert_allclose(np.sort(ak.to_numpy(jets[event].pt)), alone, rtol=1e-9)


def test_neutrinos_and_muons_are_not_measured_in_jets(record: GeneratorRecord) -> None:
    nobody = np.zeros(len(record.pdg_id), dtype=bool)
    seen = is_measured_in_jets(record, nobody, 4.9)
    assert not record.is_one_of(12, 13, 14, 16)[seen].any()
    assert record.is_final[seen].all()
    assert np.abs(record.momentum[seen].eta).max() < 4.9


@pytest.mark.parametrize(
    ("pdg_id", "quark"),
    [
        *((b, 5) for b in (511, -521, 531, 541, 513, 5122, 5332, 553, 10511)),
        *((c, 4) for c in (411, -421, 431, 4122, 443, 413, 10411)),
        *((other, None) for other in (211, 2212, 130, 22, 13, 5, 4, 21, 5503, 1000010020)),
    ],
)
def test_hadrons_are_told_by_their_numbers(pdg_id: int, quark: int | None) -> None:
    number = np.array([pdg_id])
    assert [is_hadron_with(each, number)[0] for each in (4, 5)] == [quark == 4, quark == 5]


def test_jets_of_b_quarks_are_b_jets(record: GeneratorRecord, decays: TopDecays) -> None:
    nobody = np.zeros(len(record.pdg_id), dtype=bool)
    particles = record.by_event(is_measured_in_jets(record, nobody, 4.9))
    jets = cluster(particles, JetsConfig(particle_jet_pt_min_gev=25.0))
    flavour = label_flavour(jets, record, BTaggingConfig())
    of_quark = ak.any(
        ak.concatenate(
            [
                (distance_to(jets, record.momentum[decays.quark][:, side]) < 0.1)[..., np.newaxis]
                for side in (0, 1)
            ],
            axis=2,
        ),
        axis=2,
    )
    assert ak.mean(flavour[of_quark] == 5) > 0.97
    assert ak.all(ak.sum(flavour == 5, axis=1) <= 6)
    assert set(np.unique(ak.flatten(flavour))) == {0, 4, 5}


def test_jet_resolution_is_the_published_one() -> None:
    # arXiv:2007.02645, abstract: (24 +- 1.5) % at 20 GeV, (6 +- 0.5) % at 300 GeV.
    at_20, at_300 = jet_resolution(np.array([20.0, 300.0]), JetsConfig())
    assert at_20 == pytest.approx(0.24, abs=0.015)
    assert at_300 == pytest.approx(0.06, abs=0.005)


@pytest.mark.parametrize("pt", [60.0, 300.0])
def test_jets_are_measured_with_that_resolution(pt: float, rng: np.random.Generator) -> None:
    config = JetsConfig()
    measured = measure_jets(_jets(pt, MANY, mass=10.0, flavour=5.0), config, rng)
    response = ak.to_numpy(ak.flatten(measured.pt)) / pt
    sigma = jet_resolution(np.array([pt]), config)[0]
    assert response.std() == pytest.approx(sigma, abs=4 * sigma / np.sqrt(2 * MANY))
    assert response.mean() == pytest.approx(1, abs=4 * sigma / np.sqrt(MANY))
    assert ak.std(measured.eta) == pytest.approx(config.angle, rel=0.02)
    assert ak.std(measured.phi) == pytest.approx(config.angle, rel=0.02)
    np.testing.assert_allclose(ak.flatten(measured.mass), 10 * response)
    assert ak.all(measured.flavour == 5)


def test_b_tagging_passes_each_working_point_as_configured(rng: np.random.Generator) -> None:
    config = BTaggingConfig()
    for flavour, efficiencies in (
        (5, config.b_jets),
        (4, config.c_jets),
        (0, config.light_jets),
    ):
        quantile = ak.to_numpy(
            ak.flatten(tag(ak.unflatten(np.full(MANY, flavour), 4), config, rng))
        )
        assert quantile.min() >= 1
        assert quantile.max() <= 6
        for passed, efficiency in enumerate(efficiencies, start=2):
            error = np.sqrt(efficiency * (1 - efficiency) / MANY)
            assert (quantile >= passed).mean() == pytest.approx(efficiency, abs=4 * error)


def test_pile_up_jets_are_as_many_and_as_hard_as_configured(rng: np.random.Generator) -> None:
    config, selection = PileUpConfig(mean_jets=0.5), DileptonSelectionConfig()
    jets = pile_up_jets(MANY, config, selection, rng)
    assert len(jets) == MANY
    assert ak.mean(ak.num(jets)) == pytest.approx(0.5, abs=4 * np.sqrt(0.5 / MANY))
    pt = ak.to_numpy(ak.flatten(jets.pt))
    assert pt.min() >= 25
    # A power law of exponent 5 above 25 GeV leaves (25/50)^4 above 50 GeV.
    assert (pt > 50).mean() == pytest.approx(1 / 16, abs=4 * np.sqrt(1 / 16 / len(pt)))
    assert ak.max(np.abs(jets.eta)) < 2.5


def test_pile_up_within_a_jet_is_part_of_it() -> None:
    pile_up = ak.zip(
        {"pt": [[30.0, 30.0], []], "eta": [[0.3, 0.5], []], "phi": [[0.0, 0.0], []]},
    )
    pile_up = ak.with_name(ak.with_field(pile_up, 0.0, "mass"), "Momentum4D")
    kept = without_overlap(pile_up, _jets(50.0, 4), JetsConfig())
    assert kept.eta.tolist() == [[0.5], []]


def test_distance_crosses_phi_of_pi() -> None:
    jets = _jets(50.0, 2, phi=3.1)
    momentum = vector.array({"pt": [1.0], "eta": [0.0], "phi": [-3.1], "mass": [0.0]})
    np.testing.assert_allclose(distance_to(jets, momentum), 2 * np.pi - 6.2)
