"""The same events in the branches of TopCPToolkit and of NanoAOD."""

import json
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
import vector
import yaml

from rootflow.config.data import DileptonDataConfig
from rootflow.config.simulation import GeneratorConfig, SimulationConfig
from rootflow.dataset import Dataset
from rootflow.ntuple import load_branch_map
from rootflow.simulation import simulate
from simulated import read_events
from small_datasets import build

VERSIONS = ("nanoaod_v9", "nanoaod_v12", "nanoaod_v15")
SEED, WORKING_POINTS = 7, 5
# With taus, whose own neutrinos and leptons are not those of the W bosons.
GENERATOR = GeneratorConfig(multiparton_interactions=False, taus=True)
# Momenta of both are rounded to float32, in MeV and in GeV: a few units in the last place, of
# energies up to 1 TeV. An energy is made of pT, eta and mass here, and read there.
RELATIVE, ABSOLUTE_GEV = 1e-6, 2e-4
# Where NanoAOD's map takes no electrons.
GAP = "not 1.4442 < abs(el_eta) < 1.566"

Files = dict[str, list[Path]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Return 120 events in each layout, as two files."""
    directory = tmp_path_factory.mktemp("layouts")
    return {
        layout: simulate(
            SimulationConfig.model_validate(
                {
                    "events": 120,
                    "events_per_chunk": 40,
                    "events_per_file": 80,
                    "generator": GENERATOR,
                    "layout": layout,
                }
            ),
            SEED,
            directory / layout,
        )
        for layout in ("topcptoolkit", *VERSIONS)
    }


@pytest.fixture(scope="module")
def datasets(files: Files, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dataset]:
    directory = tmp_path_factory.mktemp("datasets")
    entries = load_branch_map("topcptoolkit").model_dump(mode="json", exclude_none=True)
    entries["leptons"][0]["where"] = GAP
    (directory / "topcptoolkit.yaml").write_text(yaml.safe_dump(entries))
    maps = {"topcptoolkit": str(directory / "topcptoolkit.yaml")}
    return {
        layout: build(
            DileptonDataConfig.model_validate(
                {"branch_map": maps.get(layout, layout), "weights": {"negative": "keep"}}
            ),
            {"ttbar": paths},
            directory / layout,
        )
        for layout, paths in files.items()
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_both_layouts_are_the_same_dataset(datasets: dict[str, Dataset], version: str) -> None:
    known, found = datasets["topcptoolkit"].events(), datasets[version].events()
    ours, theirs = known.arrays(), found.arrays()
    # simulate writes neither a run nor a channel for TopCPToolkit.
    assert set(theirs) == {*ours, "identity"}
    assert 90 < len(known) < 120  # some electrons are in the gap
    btag = known.features["jets"].index("btag")
    quantile, passed = ours["jets"][..., btag].copy(), theirs["jets"][..., btag].copy()
    np.testing.assert_allclose(
        passed, np.where(known.jet_mask, (quantile - 1) / WORKING_POINTS, 0), rtol=1e-6
    )
    for name, array in ours.items():
        other = theirs[name]
        if name == "jets":
            array, other = (np.delete(each, btag, axis=-1) for each in (array, other))
        if array.dtype.kind == "f":
            np.testing.assert_allclose(other, array, RELATIVE, ABSOLUTE_GEV, err_msg=name)
        else:
            np.testing.assert_array_equal(other, array, err_msg=name)
    assert known.matched.any()
    assert np.unique(known.assignment).size > 2


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_has_the_branches_that_its_map_reads(files: Files, version: str) -> None:
    branch_map = load_branch_map(version)
    with uproot.open(files[version][0]) as file:
        types = {name: branch.typename for name, branch in file["Events"].items()}
    assert set(branch_map.branches()) <= set(types)
    assert len(branch_map.lacking_triggers() & set(types)) >= 5
    assert types["event"] == "uint64_t"
    assert types["run"] == types["luminosityBlock"] == "uint32_t"
    assert types["HLT_IsoMu24"] == types["Flag_goodVertices"] == "bool"
    is_first = version == "nanoaod_v9"
    assert types["GenPart_statusFlags"] == ("int32_t[]" if is_first else "uint16_t[]")
    assert types["GenPart_genPartIdxMother"] == ("int32_t[]" if is_first else "int16_t[]")
    assert types["Electron_cutBased"] == ("int32_t[]" if is_first else "uint8_t[]")
    # Of all versions none has the branches of others.
    has = {name for name in ("MET_pt", "PFMET_pt", "Jet_jetId", "Jet_puId") if name in types}
    assert (
        has
        == {
            "nanoaod_v9": {"MET_pt", "Jet_jetId", "Jet_puId"},
            "nanoaod_v12": {"MET_pt", "Jet_jetId"},
            "nanoaod_v15": {"PFMET_pt"},
        }[version]
    )


def test_runs_say_what_a_file_was_selected_from(files: Files) -> None:
    paths = files["nanoaod_v15"]
    found = {"genEventCount": 0, "genEventSumw": 0.0}
    for path in paths:
        with uproot.open(path) as file:
            arrays = file["Runs"].arrays(how=dict)
            assert arrays["run"].tolist() == [1]
            for name in found:
                found[name] += arrays[name].tolist()[0]
    generated = json.loads((paths[0].parent / "simulation.json").read_text())["generated_events"]
    assert found == {"genEventCount": generated, "genEventSumw": float(generated)}
    assert generated > 120


def _bit(particles: ak.Array, place: int) -> ak.Array:
    return (particles.statusFlags >> place) & 1 == 1


@pytest.fixture(scope="module")
def events(files: Files) -> ak.Array:
    return read_events(files["nanoaod_v12"], "Events")


@pytest.fixture(scope="module")
def particles(events: ak.Array) -> ak.Array:
    names = [name for name in events.fields if name.startswith("GenPart_")]
    return ak.zip({name.removeprefix("GenPart_"): events[name] for name in names})


def test_generated_particles_are_chains(particles: ak.Array) -> None:
    mother = particles.genPartIdxMother
    assert ak.all(mother < ak.local_index(mother))
    assert ak.all(mother >= -1)
    at = particles[mother[mother >= 0]]
    children = particles[mother >= 0]
    is_copy = at.pdgId == children.pdgId
    hard = _bit(children, 8)
    assert ak.all(hard[is_copy & (abs(children.pdgId) == 6)])
    assert not ak.any(_bit(children, 12) & is_copy & hard)
    tops = particles[(abs(particles.pdgId) == 6) & _bit(particles, 13)]
    assert ak.all(ak.num(tops) == 2)
    assert ak.all(ak.sum(tops.pdgId, axis=1) == 0)
    # Some radiate: then a top quark is the mother of another.
    assert ak.any((abs(at.pdgId) == 6) & is_copy)
    # A tau has a mother that is one, or a W; its products are there as well.
    assert ak.any(abs(at[abs(children.pdgId) == 16].pdgId) == 15)
    prompt = particles[(abs(particles.pdgId) == 12) & _bit(particles, 0) & _bit(particles, 12)]
    assert ak.all(abs(particles[prompt.genPartIdxMother].pdgId) == 24)
    # Leptons of hadrons are there, too, and not prompt.
    assert ak.any(~_bit(children, 0) & (abs(children.pdgId) == 13))


def test_tops_decay_to_their_quark_and_w(particles: ak.Array) -> None:
    """Momenta add up, as float32 has them, of particles that are found by mothers alone."""
    for sign in (1, -1):
        top = _last(particles, 6 * sign)[:, 0]
        at = particles[particles.genPartIdxMother]
        of_top = (at.pdgId == 6 * sign) & (particles.genPartIdxMother >= 0) & _bit(particles, 7)
        w_boson = particles[of_top & (particles.pdgId == 24 * sign)][:, 0]
        quark = particles[of_top & (abs(particles.pdgId) < 6)][:, 0]
        pair = sum((_vector(each) for each in (w_boson, quark)), vector.obj(px=0, py=0, pz=0, E=0))
        np.testing.assert_allclose(pair.px, _vector(top).px, rtol=1e-3, atol=0.05)
        np.testing.assert_allclose(pair.pz, _vector(top).pz, rtol=1e-3, atol=0.05)
        assert (ak.to_numpy(quark["mass"]) == 0).all()
        assert np.median(ak.to_numpy(top["mass"])) == pytest.approx(172.5, abs=0.5)


def _last(particles: ak.Array, pdg_id: int) -> ak.Array:
    return particles[(particles.pdgId == pdg_id) & _bit(particles, 13)]


def _vector(particle: ak.Array) -> Any:
    return vector.array(
        {name: ak.to_numpy(particle[name]).astype(float) for name in ("pt", "eta", "phi", "mass")}
    )


def test_paths_fire_above_their_thresholds(events: ak.Array) -> None:
    electrons, muons = events.Electron_pt, events.Muon_pt
    mixed = (ak.any(muons > 23, axis=1) & ak.any(electrons > 12, axis=1)) & (ak.num(muons) == 1)
    for path, expected in (
        ("IsoMu24", ak.any(muons > 24, axis=1)),
        ("Ele32_WPTight_Gsf", ak.any(electrons > 32, axis=1)),
        ("Mu23_TrkIsoVVL_Ele12_CaloIdL_TrackIdL_IsoVL_DZ", mixed),
        ("Ele23_Ele12_CaloIdL_TrackIdL_IsoVL", ak.num(electrons) == 2),
        ("Mu17_TrkIsoVVL_Mu8_TrkIsoVVL_DZ_Mass3p8", ak.num(muons) == 2),
    ):
        found = events[f"HLT_{path}"]
        assert ak.all(found == expected), path
        assert 0 < ak.sum(found) < len(found), path


def test_runs_scale_weights_to_what_is_expected(files: Files, tmp_path: Path) -> None:
    """cross section x luminosity x the share of the generated events that are selected."""
    weights = {
        "cross_section_pb": 37.9,
        "luminosity_fb_inverse": 10,
        "sum_of_weights": "per_file",
        "negative": "keep",
    }
    config = DileptonDataConfig.model_validate({"branch_map": "nanoaod_v9", "weights": weights})
    dataset = build(config, {"ttbar": files["nanoaod_v9"]}, tmp_path)
    path = files["nanoaod_v9"][0].parent / "simulation.json"
    generated = json.loads(path.read_text())["generated_events"]
    expected = 37.9 * 10_000 * len(dataset) / generated
    assert dataset.manifest.sum_of_weights == pytest.approx(expected, rel=1e-9)
