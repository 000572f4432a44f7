"""The selection of four-lepton events against a count in plain Python, event by event."""

import itertools
import math
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import vector
from numpy.typing import NDArray

from four_lepton_ntuples import read_mini
from ntuples import Branches, changed, write_ntuple
from rootflow.config.data import FourLeptonSelectionConfig
from rootflow.dataset.event_reader import EventReader, Selected
from rootflow.dataset.readings.four_leptons import FourLeptons
from rootflow.errors import InputError, UsageError
from rootflow.ntuple import BranchMap, load_branch_map

MAP = load_branch_map("atlas_open_data")
TIGHT = FourLeptonSelectionConfig(
    lepton_pt_min_gev=(25, 20, 10, 8),
    electron_abs_eta_max=2.2,
    muon_abs_eta_max=2.4,
    tight_leptons_min=3,
    ptcone30_over_pt_max=0.05,
    etcone20_over_pt_max=0.1,
    electron_d0_significance_max=2,
    muon_d0_significance_max=2.5,
    z0_sin_theta_max_mm=0.3,
    z1_mass_gev=(60, 100),
    z2_mass_gev=(20, 100),
    four_lepton_mass_gev=(80, 400),
)
Z_MASS = 91.1876


def _select(
    directory: Path, branches: Branches, selection: FourLeptonSelectionConfig | None
) -> Selected:
    needed = set(MAP_BRANCHES) & set(branches)
    path = write_ntuple(
        directory / "mini.root", {name: branches[name] for name in needed}, tree="mini"
    )
    ((_, selected),) = EventReader(FourLeptons(selection=selection), MAP).chunks(path)
    return selected


def _mask(selected: Selected) -> NDArray[np.bool_]:
    mask = np.zeros(len(selected.passed), dtype=np.bool_)
    mask[selected.kept] = True
    return mask


MAP_BRANCHES = [
    *("eventNumber", "trigE", "trigM", "jet_n", "lep_pt", "lep_eta", "lep_phi", "lep_E"),
    *("lep_charge", "lep_type", "lep_isTightID", "lep_ptcone30", "lep_etcone20"),
    *("lep_tracksigd0pvunbiased", "lep_z0"),
]


@pytest.fixture(scope="module")
def collisions(collision_files: list[Path]) -> Branches:
    """All 832 events: they fail each cut for a reason."""
    files = [read_mini(path) for path in collision_files]
    return {name: ak.concatenate([file[name] for file in files]) for name in MAP_BRANCHES}


def _mass(leptons: list[dict[str, Any]]) -> float:
    total = vector.obj(px=0, py=0, pz=0, E=0)
    for lepton in leptons:
        total += vector.obj(**{name: lepton[name] for name in ("pt", "eta", "phi", "E")})
    return float(total.mass) / 1000


def _passed(event: dict[str, Any], cuts: FourLeptonSelectionConfig) -> int:
    """Return how many of the cuts after one another an event passes."""
    names = [name.removeprefix("lep_") for name in event if name.startswith("lep_")]
    leptons = [
        dict(zip(names, values, strict=True))
        for values in zip(*(event[f"lep_{name}"] for name in names), strict=True)
    ]
    leptons.sort(key=lambda lepton: -lepton["pt"])
    electrons = [lepton for lepton in leptons if lepton["type"] == 11]
    muons = [lepton for lepton in leptons if lepton["type"] == 13]

    def pairs_off(one: dict[str, Any], two: dict[str, Any]) -> bool:
        return bool(one["type"] == two["type"] and one["charge"] == -two["charge"])

    pairs = [pair for pair in itertools.combinations(leptons, 2) if pairs_off(*pair)]
    pairings = [
        (one, two) for one in pairs for two in pairs if not any(a is b for a in one for b in two)
    ]
    masses = [(_mass(list(one)), _mass(list(two))) for one, two in pairings]
    z1, z2 = min(masses, key=lambda mass: abs(mass[0] - Z_MASS), default=(0.0, 0.0))
    tests = [
        lambda: True,
        lambda: event["trigE"] or event["trigM"],
        lambda: len(leptons) == 4,
        lambda: all(
            lepton["pt"] >= 1000 * threshold
            for lepton, threshold in zip(leptons, cuts.lepton_pt_min_gev, strict=True)
        ),
        lambda: (
            all(abs(e["eta"]) <= cuts.electron_abs_eta_max for e in electrons)
            and all(abs(m["eta"]) <= cuts.muon_abs_eta_max for m in muons)
        ),
        lambda: sum(lepton["isTightID"] for lepton in leptons) >= cuts.tight_leptons_min,
        lambda: all(lep["ptcone30"] <= cuts.ptcone30_over_pt_max * lep["pt"] for lep in leptons),
        lambda: all(lep["etcone20"] <= cuts.etcone20_over_pt_max * lep["pt"] for lep in leptons),
        lambda: all(
            abs(e["tracksigd0pvunbiased"]) <= cuts.electron_d0_significance_max for e in electrons
        ),
        lambda: all(abs(m["tracksigd0pvunbiased"]) <= cuts.muon_d0_significance_max for m in muons),
        lambda: all(
            abs(lep["z0"]) * math.sin(2 * math.atan(math.exp(-lep["eta"])))
            <= cuts.z0_sin_theta_max_mm
            for lep in leptons
        ),
        lambda: sum(lepton["charge"] for lepton in leptons) == 0,
        lambda: bool(pairings),
        lambda: all(_mass(list(pair)) >= cuts.pair_mass_min_gev for pair in pairs),
        lambda: cuts.z1_mass_gev[0] <= z1 <= cuts.z1_mass_gev[1],
        lambda: cuts.z2_mass_gev[0] <= z2 <= cuts.z2_mass_gev[1],
        lambda: cuts.four_lepton_mass_gev[0] <= _mass(leptons) <= cuts.four_lepton_mass_gev[1],
    ]
    return next((place for place, test in enumerate(tests) if not test()), len(tests))


def test_the_cutflow_of_collisions_is_that_of_a_count_by_hand(
    tmp_path: Path, collisions: Branches
) -> None:
    selected = _select(tmp_path, collisions, TIGHT)
    columns = {name: ak.to_list(array) for name, array in collisions.items()}
    events = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    passed = np.array([_passed(event, TIGHT) for event in events])
    assert len(selected.cutflow) == passed.max() == 17
    counts = [int((passed > place).sum()) for place in range(17)]
    assert [count for count, _ in selected.cutflow.values()] == counts
    assert counts[-1] > 20
    assert len(set(counts)) > 12
    np.testing.assert_array_equal(_mask(selected), passed == 17)
    numbers = collisions["eventNumber"].to_numpy()
    np.testing.assert_array_equal(selected.arrays["event_number"], numbers[passed == 17])


def test_leptons_fall_in_pt_whatever_their_order(tmp_path: Path, mini: Branches) -> None:
    backwards = {
        name: array[:, ::-1] if name.startswith("lep_") and array.ndim > 1 else array
        for name, array in mini.items()
    }
    straight = _select(tmp_path, mini, FourLeptonSelectionConfig()).arrays
    turned = _select(tmp_path, backwards, FourLeptonSelectionConfig()).arrays
    assert (np.diff(straight["leptons"][..., 0], axis=1) <= 0).all()
    for name, array in straight.items():
        np.testing.assert_array_equal(turned[name], array)
    expected = ak.to_numpy(ak.sort(mini["lep_pt"], ascending=False)[:, 0]) / 1000
    chosen = np.isin(mini["eventNumber"].to_numpy(), straight["event_number"])
    np.testing.assert_allclose(straight["leptons"][:, 0, 0], expected[chosen], rtol=1e-6)


def test_the_sign_is_that_of_the_particle(tmp_path: Path, mini: Branches) -> None:
    arrays = _select(tmp_path, mini, None).arrays
    order = ak.argsort(mini["lep_pt"], ascending=False, stable=True)
    pdg_id = -mini["lep_charge"] * ak.values_astype(mini["lep_type"], "int32")
    np.testing.assert_array_equal(
        arrays["leptons"][..., 4], ak.to_numpy(ak.pad_none(pdg_id[order], 4, clip=True))
    )
    assert len(arrays["weight"]) == 600


def test_a_fifth_lepton_cuts_the_event_or_is_left_out(tmp_path: Path, mini: Branches) -> None:
    before = _select(tmp_path, mini, FourLeptonSelectionConfig())
    place = int(before.kept[3])
    five = dict(mini)
    added = {"pt": 100e3, "eta": 0.3, "phi": 0.2, "E": 110e3, "charge": 1, "type": 13, "z0": 0.0}
    for name in [name for name in MAP_BRANCHES if name.startswith("lep_")]:
        value = added.get(name.removeprefix("lep_"), 0)
        five[name] = changed(mini[name], place, [*mini[name][place], value])
    only_four = _select(tmp_path, five, FourLeptonSelectionConfig())
    assert not _mask(only_four)[place]
    cut = "exactly 4 leptons"
    assert only_four.cutflow[cut][0] == before.cutflow[cut][0] - 1
    loose = FourLeptonSelectionConfig(
        exactly_four_leptons=False,
        zero_total_charge=False,
        same_flavour_pairs=False,
        z1_mass_gev=None,
        z2_mass_gev=None,
        pair_mass_min_gev=0,
    )
    leading = _select(tmp_path, five, loose)
    assert _mask(leading)[place]
    row = int(_mask(leading)[:place].sum())
    expected = sorted([100.0, *(mini["lep_pt"][place].to_numpy() / 1000)], reverse=True)[:4]
    np.testing.assert_allclose(leading.arrays["leptons"][row, :, 0], expected, rtol=1e-6)


def test_events_without_pairs_are_kept_when_the_cuts_are_off(
    tmp_path: Path, mini: Branches
) -> None:
    same_sign = {**mini, "lep_charge": abs(mini["lep_charge"])}
    assert not len(_select(tmp_path, same_sign, FourLeptonSelectionConfig()).kept)
    arrays = _select(tmp_path, same_sign, None).arrays
    names = [
        feature.name for feature in EventReader(FourLeptons(selection=None), MAP).features["event"]
    ]
    assert len(arrays["weight"]) == 600
    assert (arrays["event"][:, names.index("z1_mass")] == 0).all()
    assert (arrays["event"][:, names.index("m4l")] > 0).all()
    assert np.isfinite(arrays["event"]).all()


def test_event_features_are_in_the_order_of_their_names(tmp_path: Path, mini: Branches) -> None:
    arrays = _select(tmp_path, mini, FourLeptonSelectionConfig()).arrays
    names = [
        feature.name for feature in EventReader(FourLeptons(selection=None), MAP).features["event"]
    ]
    event = dict(zip(names, arrays["event"].T, strict=True))
    chosen = np.isin(mini["eventNumber"].to_numpy(), arrays["event_number"])
    np.testing.assert_array_equal(event["jet_n"], mini["jet_n"].to_numpy()[chosen])
    columns = dict(
        zip(("pt", "eta", "phi", "E"), arrays["leptons"].astype(np.float64).T, strict=False)
    )
    leptons = vector.array({name: column.T for name, column in columns.items()})
    np.testing.assert_allclose(event["mass_24"], (leptons[:, 1] + leptons[:, 3]).mass, rtol=1e-4)


@pytest.mark.parametrize("pdg_id", [0, 22])
def test_a_flavour_that_is_no_electron_or_muon(tmp_path: Path, mini: Branches, pdg_id: int) -> None:
    flavours = [*mini["lep_type"][7].to_list()[:-1], pdg_id]
    spoilt = {**mini, "lep_type": changed(mini["lep_type"], 7, flavours)}
    message = rf"mini\.root, event {mini['eventNumber'][7]}: branch 'lep_type' is {pdg_id}, which"
    with pytest.raises(InputError, match=message):
        _select(tmp_path, spoilt, None)


def test_a_tau_is_none_of_four_leptons(tmp_path: Path, mini: Branches) -> None:
    flavours = [*mini["lep_type"][7].to_list()[:-1], 15]
    spoilt = {**mini, "lep_type": changed(mini["lep_type"], 7, flavours)}
    with pytest.raises(InputError, match=r"a lepton is no electron \(11\) or muon .*\(entry 7\)"):
        _select(tmp_path, spoilt, None)


def test_a_charge_that_no_lepton_has(tmp_path: Path, mini: Branches) -> None:
    spoilt = {**mini, "lep_charge": mini["lep_charge"] * 0}
    with pytest.raises(InputError, match="branch 'lep_charge' is 0, a lepton's charge is"):
        _select(tmp_path, spoilt, None)


@pytest.mark.parametrize(
    ("quantity", "off"),
    [
        ("triggers", {"trigger": False}),
        ("ptcone30", {"ptcone30_over_pt_max": None}),
        (
            "d0_significance",
            {"electron_d0_significance_max": None, "muon_d0_significance_max": None},
        ),
    ],
)
def test_a_cut_on_what_the_map_does_not_name_must_be_switched_off(
    quantity: str, off: dict[str, Any]
) -> None:
    settings = MAP.model_dump()
    if quantity == "triggers":
        settings["triggers"] = []
    else:
        settings["leptons"][0][quantity] = None
    less = BranchMap.model_validate(settings)
    switches = ", ".join(
        f"{key}={'null' if value is None else 'false'}" for key, value in off.items()
    )
    with pytest.raises(UsageError, match=rf"map given does not name {quantity}: .*\({switches}\)$"):
        EventReader(FourLeptons(selection=FourLeptonSelectionConfig()), less)
    selection = FourLeptonSelectionConfig.model_validate(off)
    assert EventReader(FourLeptons(selection=selection), less).features


def test_only_what_the_cuts_need_is_read(tmp_path: Path, mini: Branches) -> None:
    bare = {
        name: array
        for name, array in mini.items()
        if name in MAP_BRANCHES and name not in ("trigE", "trigM", "lep_z0", "lep_isTightID")
    }
    selection = FourLeptonSelectionConfig(trigger=False, z0_sin_theta_max_mm=None)
    assert len(_select(tmp_path, bare, selection).kept) > 400
