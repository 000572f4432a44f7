from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import vector
import yaml

from ntuples import Branches, changed, read_branches, write_ntuple
from rootflow.errors import InputError
from rootflow.ntuple import BranchMap, Chunk, load_branch_map, read_chunks

MAP = load_branch_map("topcptoolkit")


def _chunk(path: Path, branch_map: BranchMap = MAP) -> Chunk:
    (chunk,) = read_chunks(path, branch_map)
    return chunk


def _other_map(tmp_path: Path, **changes: Any) -> BranchMap:
    path = tmp_path / "map.yaml"
    settings = MAP.model_dump(mode="json", exclude_none=True)
    path.write_text(yaml.safe_dump({**settings, **changes}))
    return load_branch_map(str(path))


def _refused(path: Path, message: str, branch_map: BranchMap = MAP) -> None:
    with pytest.raises(InputError, match=message) as error:
        list(read_chunks(path, branch_map))
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def test_energies_are_gev_and_the_rest_is_as_in_the_file(ttbar_files: list[Path]) -> None:
    raw = read_branches(ttbar_files[0])
    chunk = _chunk(ttbar_files[0])
    for name, branch, factor in [
        ("pt", "jet_pt_NOSYS", 1000),
        ("eta", "jet_eta", 1),
        ("phi", "jet_phi", 1),
        ("energy", "jet_e_NOSYS", 1000),
        ("btag", "jet_GN2v01_Continuous_quantile", 1),
    ]:
        expected = ak.flatten(raw[branch]).to_numpy().astype(np.float64) / factor
        np.testing.assert_allclose(chunk.objects["jets"].columns[name], expected, rtol=1e-7)
    np.testing.assert_allclose(chunk.met[:, 0], raw["met_met_NOSYS"].to_numpy() / 1000, rtol=1e-7)
    np.testing.assert_array_equal(chunk.rows.identity.number, raw["eventNumber"].to_numpy())
    np.testing.assert_array_equal(chunk.objects["jets"].counts(), ak.num(raw["jet_eta"]).to_numpy())


def test_electrons_and_muons_are_read_as_one_collection(ttbar_files: list[Path]) -> None:
    raw = read_branches(ttbar_files[0])
    chunk = _chunk(ttbar_files[0])
    number = {
        pdg_id: int(ak.sum(raw[branch] == charge))
        for branch, charge, pdg_id in [
            ("el_charge", 1, -11),
            ("el_charge", -1, 11),
            ("mu_charge", 1, -13),
            ("mu_charge", -1, 13),
        ]
    }
    leptons = chunk.objects["leptons"]
    pdg_ids, counts = np.unique(leptons.columns["pdg_id"], return_counts=True)
    assert dict(zip(pdg_ids.tolist(), counts.tolist(), strict=True)) == number
    # Those of an event stand together, electrons before muons.
    pt = ak.concatenate([raw["el_pt_NOSYS"], raw["mu_pt_NOSYS"]], axis=1)
    np.testing.assert_array_equal(leptons.counts(), ak.num(pt).to_numpy())
    np.testing.assert_allclose(leptons.columns["pt"], ak.flatten(pt).to_numpy() / 1000, rtol=1e-6)


def test_neutrinos_and_tops_are_the_generators(ttbar_files: list[Path]) -> None:
    raw = read_branches(ttbar_files[0])
    truth = _chunk(ttbar_files[0]).beside
    for slot, parent in enumerate(["t", "tbar"]):
        event = np.arange(len(truth["neutrinos"]))
        products = [f"Ttbar_MC_Wdecay{i}_afterFSR_from_{parent}" for i in (1, 2)]
        pdg_ids = np.stack([raw[f"{product}_pdgId"].to_numpy() for product in products])
        which = np.isin(np.abs(pdg_ids), [12, 14, 16]).argmax(axis=0)
        pt, eta, phi = (
            np.stack([raw[f"{product}_{name}"].to_numpy() for product in products])[which, event]
            for name in ("pt", "eta", "phi")
        )
        expected = np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1) / 1000
        np.testing.assert_allclose(truth["neutrinos"][:, slot], expected, rtol=2e-5, atol=1e-4)
        components = truth["tops"][:, slot].astype(np.float64).T
        tops = vector.array(dict(zip(("px", "py", "pz", "E"), components, strict=True)))
        np.testing.assert_allclose(
            tops.mass, raw[f"Ttbar_MC_{parent}_afterFSR_m"].to_numpy() / 1000, rtol=2e-3
        )


def test_true_leptons_and_neutrinos_make_w_bosons(ttbar_files: list[Path]) -> None:
    truth = _chunk(ttbar_files[0]).beside
    leptons, neutrinos = (
        vector.array(
            dict(zip(("px", "py", "pz", "mass"), [*momenta.T, 0 * momenta.T[0]], strict=True))
        )
        for momenta in (truth["true_leptons"].astype(float), truth["neutrinos"].astype(float))
    )
    # PDG 2018; photons that leptons radiated are missing.
    assert np.median((leptons + neutrinos).mass) == pytest.approx(80.379, abs=0.5)


def test_one_candidate_in_cartesian_coordinates_is_the_neutrino(
    tmp_path: Path, branches: Branches
) -> None:
    components = np.arange(3 * 400, dtype=np.float32).reshape(3, 400)
    named = {f"nu_{name}": ak.Array(components[i]) for i, name in enumerate(["px", "py", "pz"])}
    path = write_ntuple(tmp_path / "cartesian.root", {**branches, **named})
    momentum = {name: {"branch": f"nu_{name}", "unit": "GeV"} for name in ("px", "py", "pz")}
    neutrinos = {"neutrino": [momentum], "antineutrino": [momentum]}
    truth = _chunk(path, _other_map(tmp_path, truth={"neutrinos": neutrinos})).beside
    np.testing.assert_array_equal(truth["neutrinos"][:, 0], components.T)
    np.testing.assert_array_equal(truth["neutrinos"][:, 1], components.T)
    assert truth["dileptonic"].all()
    assert "tops" not in truth


def test_chunks_do_not_change_what_is_read(ttbar_files: list[Path]) -> None:
    whole = _chunk(ttbar_files[0])
    parts = list(read_chunks(ttbar_files[0], MAP, chunk_bytes=1_000_000))
    assert len(parts) > 5
    np.testing.assert_array_equal(
        np.concatenate([part.objects["jets"].columns["energy"] for part in parts]),
        whole.objects["jets"].columns["energy"],
    )
    np.testing.assert_array_equal(np.concatenate([part.met for part in parts]), whole.met)


def test_a_file_in_gev_that_the_map_takes_for_mev(tmp_path: Path, branches: Branches) -> None:
    in_gev = {
        name: array / np.float32(1000) if name.endswith(("pt_NOSYS", "e_NOSYS")) else array
        for name, array in branches.items()
    }
    path = write_ntuple(tmp_path / "gev.root", in_gev)
    _refused(path, r"is at most .* GeV when read as MeV.*unit in the branch map")


def test_a_jet_of_30_tev_is_a_wrong_unit(tmp_path: Path, branches: Branches) -> None:
    path = write_ntuple(tmp_path / "mev.root", branches)
    jets = MAP.jets[0].model_dump(mode="json", exclude_none=True)
    jets["pt"]["unit"] = "GeV"
    _refused(
        path,
        r"event \d+: branch 'jet_pt_NOSYS' is [\d,]+ GeV when read as GeV.*unit in the branch map",
        _other_map(tmp_path, jets=jets),
    )


@pytest.mark.parametrize(
    ("branch", "message"),
    [
        ("jet_e_NOSYS", r"is .* GeV when read as MeV, less than the pT of"),
        ("mu_e_NOSYS", r"is .* GeV when read as MeV, less than the pT of"),
        ("met_met_NOSYS", r"is at most .* GeV in 400 events when read as MeV"),
        ("Ttbar_MC_t_afterFSR_m", r"is at most 0\.\d+ GeV in 400 events when read as MeV"),
        ("Ttbar_MC_tbar_afterFSR_pt", r"is at most .* GeV in 400 events when read as MeV"),
        (
            "Ttbar_MC_Wdecay2_afterFSR_from_tbar_pt",
            r"is at most .* GeV in 400 events when read as MeV",
        ),
    ],
)
def test_one_branch_in_gev_that_the_map_takes_for_mev(
    tmp_path: Path, branches: Branches, branch: str, message: str
) -> None:
    in_gev = {**branches, branch: branches[branch] / np.float32(1000)}
    path = write_ntuple(tmp_path / "gev.root", in_gev)
    _refused(path, f"branch '{branch}' {message}.*unit in the branch map")


def test_a_few_soft_events_are_no_wrong_unit(tmp_path: Path, branches: Branches) -> None:
    few = {name: array[:99] for name, array in branches.items()}
    few["met_met_NOSYS"] = few["met_met_NOSYS"] / np.float32(1000)
    assert _chunk(write_ntuple(tmp_path / "few.root", few)).met[:, 0].max() < 1


def test_zeros_for_what_is_not_there_are_no_wrong_unit(tmp_path: Path, branches: Branches) -> None:
    none = {**branches, "Ttbar_MC_t_afterFSR_m": 0 * branches["Ttbar_MC_t_afterFSR_m"]}
    assert len(_chunk(write_ntuple(tmp_path / "none.root", none))) == 400


def test_a_rounded_energy_is_no_wrong_unit(tmp_path: Path, branches: Branches) -> None:
    rounded = {**branches, "jet_e_NOSYS": branches["jet_pt_NOSYS"] * np.float32(0.995)}
    assert len(_chunk(write_ntuple(tmp_path / "rounded.root", rounded))) == 400


@pytest.mark.parametrize("index", [50, -2])
def test_a_true_jet_that_the_event_does_not_have(
    tmp_path: Path, branches: Branches, index: int
) -> None:
    places = changed(branches["event_jet_truth_idx"], 9, [-1, -1, -1, index, -1, -1])
    path = write_ntuple(tmp_path / "index.root", {**branches, "event_jet_truth_idx": places})
    number, jets = branches["eventNumber"][9], len(branches["jet_eta"][9])
    _refused(
        path,
        f"event {number}: branch 'event_jet_truth_idx' is {index}, .* the event's {jets} jets",
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("branch", ["jet_eta", "mu_pt_NOSYS", "met_phi_NOSYS", "weight_mc_NOSYS"])
def test_values_that_are_not_finite(
    tmp_path: Path, branches: Branches, branch: str, value: float
) -> None:
    event = 17
    while branches[branch].ndim > 1 and not len(branches[branch][event]):
        event += 1
    old = branches[branch][event]
    new = [value] * len(old) if branches[branch].ndim > 1 else value
    spoilt = {**branches, branch: changed(branches[branch], event, new)}
    path = write_ntuple(tmp_path / "nan.root", spoilt)
    _refused(path, f"event {branches['eventNumber'][event]}: branch '{branch}' is {value}")


def test_lists_of_different_length(tmp_path: Path, branches: Branches) -> None:
    shorter = changed(branches["jet_phi"], 7, branches["jet_phi"][7][:-1])
    path = write_ntuple(tmp_path / "short.root", {**branches, "jet_phi": shorter})
    _refused(path, f"event {branches['eventNumber'][7]}: branch 'jet_phi' has not as many")


@pytest.mark.parametrize(
    ("branch", "other", "message"),
    [
        ("jet_eta", "met_phi_NOSYS", "branch 'jet_eta' does not hold a list"),
        ("met_phi_NOSYS", "jet_eta", "branch 'met_phi_NOSYS' does not hold one number"),
        ("eventNumber", "met_phi_NOSYS", "one integer for each event"),
        ("event_jet_truth_idx", "el_charge", "has no place 0"),
    ],
)
def test_branches_of_another_shape(
    tmp_path: Path, branches: Branches, branch: str, other: str, message: str
) -> None:
    path = write_ntuple(tmp_path / "shape.root", {**branches, branch: branches[other]})
    _refused(path, message)


def test_weights_are_multiplied(tmp_path: Path, branches: Branches) -> None:
    n_events = len(branches["eventNumber"])
    first, second = np.linspace(-1, 2, n_events), np.linspace(1, 3, n_events)
    path = write_ntuple(
        tmp_path / "weights.root", {**branches, "one": ak.Array(first), "two": ak.Array(second)}
    )
    chunk = _chunk(path, _other_map(tmp_path, weights=["one", "two"]))
    np.testing.assert_array_equal(chunk.weight, first * second)
    assert (_chunk(path, _other_map(tmp_path, weights=[])).weight == 1).all()


def test_energy_comes_from_the_mass_where_the_ntuple_has_that(
    tmp_path: Path, branches: Branches
) -> None:
    jets = vector.zip(
        {
            "pt": branches["jet_pt_NOSYS"],
            "eta": branches["jet_eta"],
            "phi": branches["jet_phi"],
            "energy": branches["jet_e_NOSYS"],
        }
    )
    path = write_ntuple(tmp_path / "mass.root", {**branches, "jet_m": jets.mass})
    settings = MAP.jets[0].model_dump(mode="json", exclude_none=True)
    settings["mass"] = {"branch": "jet_m", "unit": "MeV"}
    del settings["energy"]
    chunk = _chunk(path, _other_map(tmp_path, jets=settings))
    expected = _chunk(path).objects["jets"].columns
    for name, values in chunk.objects["jets"].columns.items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-4)


def test_one_collection_of_leptons_with_a_type_branch(
    h4l_files: dict[str, list[Path]],
) -> None:
    chunk = _chunk(h4l_files["ZZ"][0], load_branch_map("atlas_open_data"))
    assert set(np.unique(np.abs(chunk.objects["leptons"].columns["pdg_id"]))) == {11, 13}
    assert (chunk.objects["leptons"].counts() >= 4).all()
    assert chunk.beside == {}


def test_a_signed_pdg_id_says_the_charge(tmp_path: Path, branches: Branches) -> None:
    muons = MAP.leptons[1].model_dump(mode="json", exclude_none=True)
    del muons["charge"]
    muons["pdg_id"] = "mu_pdg_id"
    pdg_id = ak.values_astype(-13 * branches["mu_charge"], "int32")
    path = write_ntuple(tmp_path / "signed.root", {**branches, "mu_pdg_id": pdg_id})
    electrons = MAP.leptons[0].model_dump(mode="json", exclude_none=True)
    chunk = _chunk(path, _other_map(tmp_path, leptons=[electrons, muons]))
    expected = _chunk(path).objects["leptons"].columns
    assert chunk.objects["leptons"].columns.keys() == expected.keys()
    for name, values in chunk.objects["leptons"].columns.items():
        np.testing.assert_array_equal(values, expected[name])


def test_extra_features_are_read(tmp_path: Path, branches: Branches) -> None:
    path = write_ntuple(tmp_path / "plain.root", branches)
    jets = MAP.jets[0].model_dump(mode="json", exclude_none=True)
    jets["extra"] = {"copy": {"branch": "jet_e_NOSYS", "unit": "MeV"}}
    event = {"met_again": {"branch": "met_met_NOSYS", "unit": "MeV"}}
    chunk = _chunk(path, _other_map(tmp_path, jets=jets, event=event))
    jets_read = chunk.objects["jets"].columns
    np.testing.assert_array_equal(jets_read["copy"], jets_read["energy"])
    np.testing.assert_array_equal(chunk.event["met_again"], chunk.met[:, 0])
