import awkward as ak
import numpy as np
import pytest
import vector

from rootflow.config.detector import MetConfig
from rootflow.simulation.jets import measure_met, true_met
from rootflow.simulation.leptons import DressedLeptons, MeasuredLeptons
from rootflow.simulation.record import GeneratorRecord, TopDecays

EVENTS = 10_000


def _jets(pt: float) -> ak.Array:
    ones = np.ones(EVENTS)
    columns = {"pt": pt * ones, "eta": 0 * ones, "phi": 0 * ones, "mass": 0 * ones}
    return ak.unflatten(ak.zip(columns, with_name="Momentum4D"), np.ones(EVENTS, dtype=int))


def _measure(config: MetConfig, rng: np.random.Generator) -> vector.MomentumNumpy2D:
    """Return the MET of events with a jet of 50 GeV along x measured with 60 GeV."""
    pt = np.full((EVENTS, 2), 30.0)
    momentum = vector.array({"pt": pt, "eta": 0 * pt, "phi": 0 * pt, "mass": 0 * pt})
    species = np.full((EVENTS, 2), 13, dtype=np.int32)
    return measure_met(
        vector.array({"px": np.full(EVENTS, 40.0), "py": np.zeros(EVENTS)}),
        _jets(50.0),
        _jets(60.0),
        _jets(50.0)[:, :0],
        DressedLeptons(momentum, species, np.zeros(0, dtype=np.int64)),
        MeasuredLeptons(momentum, species, np.ones((EVENTS, 2), dtype=bool)),
        config,
        rng,
    )


def test_met_is_wrong_by_what_hard_objects_are(rng: np.random.Generator) -> None:
    met = _measure(MetConfig(soft_term_gev=0.0), rng)
    np.testing.assert_allclose(met.px, 30.0)
    np.testing.assert_allclose(met.py, 0.0, atol=1e-9)


def test_soft_jets_belong_to_the_soft_term(rng: np.random.Generator) -> None:
    met = _measure(MetConfig(soft_term_gev=0.0, jet_pt_min_gev=70.0), rng)
    np.testing.assert_allclose(met.px, 40.0)


def test_the_soft_term_is_as_wide_as_configured(rng: np.random.Generator) -> None:
    met = _measure(MetConfig(soft_term_gev=7.0), rng)
    for axis in (met.px, met.py):
        assert axis.std() == pytest.approx(7, abs=4 * 7 / np.sqrt(2 * EVENTS))


def test_true_met_is_of_all_neutrinos(record: GeneratorRecord, decays: TopDecays) -> None:
    from_w = record.momentum[decays.neutrino].px.sum(axis=1)
    met = true_met(record)
    assert np.median(np.abs(met.px - from_w)) < 5
    assert np.abs(met.px - from_w).max() > 5  # neutrinos of b hadrons
