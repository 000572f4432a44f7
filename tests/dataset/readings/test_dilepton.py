"""The selection against a count in plain Python, event by event."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from ntuples import Branches, changed, entries_of, write_ntuple
from rootflow.config.data import SelectionConfig
from rootflow.dataset.event_reader import EventReader, Selected, add
from rootflow.dataset.readings.dilepton import Dilepton

TIGHT = SelectionConfig(
    lepton_pt_min_gev=30,
    lepton_abs_eta_max=2.0,
    jet_pt_min_gev=40,
    jet_abs_eta_max=1.8,
    jets_min=2,
    btagged_jets_min=1,
    btag_min=5,
)


@pytest.fixture(scope="module")
def weighted(branches: Branches) -> Branches:
    weights = np.linspace(-0.5, 2, len(branches["eventNumber"])).astype(np.float32)
    return {**branches, "weight_mc_NOSYS": ak.Array(weights)}


def select(
    directory: Path, branches: Branches, selection: SelectionConfig, max_jets: int
) -> Selected:
    path = write_ntuple(directory / "events.root", branches)
    ((_, selected),) = _reader(selection, max_jets).chunks(path)
    return selected


def _reader(selection: SelectionConfig, max_jets: int) -> EventReader:
    reading = Dilepton(selection=selection, max_jets=max_jets)
    return EventReader(reading, "topcptoolkit", collisions=False)


def _leptons(event: dict[str, Any], config: SelectionConfig) -> list[tuple[float, float, int]]:
    """Return pt, charge, pdg_id of the accepted leptons, falling in pT."""
    found = []
    for flavour, pdg_id in (("el", 11), ("mu", 13)):
        for pt, eta, charge in zip(
            event[f"{flavour}_pt_NOSYS"],
            event[f"{flavour}_eta"],
            event[f"{flavour}_charge"],
            strict=True,
        ):
            if pt >= 1000 * config.lepton_pt_min_gev and abs(eta) <= config.lepton_abs_eta_max:
                found.append((pt, charge, -int(charge) * pdg_id))
    return sorted(found, reverse=True)


def _jets(event: dict[str, Any], config: SelectionConfig) -> list[tuple[float, int, int]]:
    """Return pt, btag and place in the ntuple of the accepted jets, falling in pT."""
    accepted = [
        (pt, btag, place)
        for place, (pt, eta, btag) in enumerate(
            zip(
                event["jet_pt_NOSYS"],
                event["jet_eta"],
                event["jet_GN2v01_Continuous_quantile"],
                strict=True,
            )
        )
        if pt >= 1000 * config.jet_pt_min_gev and abs(eta) <= config.jet_abs_eta_max
    ]
    return sorted(accepted, reverse=True)


def _events(branches: Branches) -> list[dict[str, Any]]:
    columns = {name: ak.to_list(array) for name, array in branches.items()}
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def _passed(event: dict[str, Any], config: SelectionConfig) -> int:
    """Return how many of the cuts after one another an event passes."""
    leptons, jets = _leptons(event, config), _jets(event, config)
    cuts = [
        True,
        len(leptons) == 2,
        len(leptons) == 2 and leptons[0][1] * leptons[1][1] < 0,
        len(jets) >= config.jets_min,
        sum(btag >= config.btag_min for _, btag, _ in jets) >= config.btagged_jets_min,
        True,
    ]
    return cuts.index(False) if False in cuts else len(cuts)


@pytest.mark.parametrize("max_jets", [2, 8])
def test_where_selected_events_and_their_jets_are_in_the_ntuple(
    tmp_path: Path, weighted: Branches, max_jets: int
) -> None:
    jets = [name for name in weighted if name.startswith("jet_")]
    turned = {**weighted, **{name: weighted[name][:, ::-1] for name in jets}}
    path = write_ntuple(tmp_path / "events.root", turned)
    (located,) = entries_of(_reader(TIGHT, max_jets), path)
    events = _events(turned)
    kept = [place for place, event in enumerate(events) if _passed(event, TIGHT) == 6]
    assert np.flatnonzero(located.selected).tolist() == kept
    for row, event in zip(located.places["jets"], kept, strict=True):
        places = [place for _, _, place in _jets(events[event], TIGHT)][:max_jets]
        assert row.tolist() == places + [-1] * (max_jets - len(places))


def test_the_cutflow_is_that_of_a_count_by_hand(tmp_path: Path, weighted: Branches) -> None:
    cutflow = select(tmp_path, weighted, TIGHT, 8).cutflow
    events = _events(weighted)
    passed = [_passed(event, TIGHT) for event in events]
    for place, (count, sum_of_weights) in enumerate(cutflow.values()):
        left = [event for event, cuts in zip(events, passed, strict=True) if cuts > place]
        assert count == len(left)
        assert sum_of_weights == pytest.approx(sum(event["weight_mc_NOSYS"] for event in left))
    assert list(cutflow) == [
        "all events",
        "exactly 2 leptons with pT >= 30 GeV, |eta| <= 2",
        "leptons of opposite sign",
        "at least 2 jets with pT >= 40 GeV, |eta| <= 1.8",
        "at least 1 of them b-tagged (btag >= 5)",
        "both W bosons decay to a neutrino (truth)",
    ]
    counts = [count for count, _ in cutflow.values()]
    assert len(events) == counts[0] > counts[1] > counts[3] > counts[4] > 0


@pytest.mark.parametrize("max_jets", [2, 3, 8])
def test_objects_and_truth_of_each_selected_event(
    tmp_path: Path, weighted: Branches, max_jets: int
) -> None:
    arrays = select(tmp_path, weighted, TIGHT, max_jets).arrays
    events = [event for event in _events(weighted) if _passed(event, TIGHT) == 6]
    assert arrays["event_number"].tolist() == [event["eventNumber"] for event in events]
    for i, event in enumerate(events):
        jets = _jets(event, TIGHT)[:max_jets]
        assert arrays["jet_mask"][i].tolist() == [slot < len(jets) for slot in range(max_jets)]
        assert arrays["jets"][i, : len(jets), 0] == pytest.approx([pt / 1000 for pt, _, _ in jets])
        assert arrays["jets"][i, : len(jets), 4].tolist() == [btag for _, btag, _ in jets]
        assert (arrays["jets"][i, len(jets) :] == 0).all()
        places = [place for _, _, place in jets]
        truth = [event["event_jet_truth_idx"][which] for which in (0, 3)]
        assert arrays["assignment"][i].tolist() == [
            places.index(place) if place in places else -1 for place in truth
        ]
        leptons = sorted(_leptons(event, TIGHT), key=lambda lepton: -lepton[1])
        assert arrays["leptons"][i, :, 4].tolist() == [pdg_id for _, _, pdg_id in leptons]
        assert arrays["leptons"][i, :, 0] == pytest.approx([pt / 1000 for pt, _, _ in leptons])


def test_truth_follows_the_jets_when_the_ntuple_has_them_in_another_order(
    tmp_path: Path, branches: Branches
) -> None:
    backwards = {
        name: array[:, ::-1] if name.startswith("jet_") else array
        for name, array in branches.items()
    }
    index = branches["event_jet_truth_idx"].to_numpy()
    n_jets = ak.num(branches["jet_eta"]).to_numpy()[:, np.newaxis]
    backwards["event_jet_truth_idx"] = ak.from_numpy(
        np.where(index >= 0, n_jets - 1 - index, -1).astype(np.int32)
    )
    straight = select(tmp_path, branches, SelectionConfig(), 4).arrays
    turned = select(tmp_path, backwards, SelectionConfig(), 4).arrays
    assert (np.diff(turned["jets"][..., 0], axis=1) <= 0).all()
    for name in ("jets", "assignment", "jet_mask"):
        np.testing.assert_array_equal(turned[name], straight[name])


def _select_one(directory: Path, branches: Branches, **settings: Any) -> Selected:
    return select(directory, branches, SelectionConfig.model_validate(settings), 8)


def test_more_than_two_leptons_are_kept_only_when_asked_for(
    tmp_path: Path, branches: Branches
) -> None:
    third = dict(branches)
    for name, value in [("pt_NOSYS", 30e3), ("eta", 0.5), ("phi", 0.1), ("e_NOSYS", 40e3)]:
        third[f"el_{name}"] = changed(
            branches[f"el_{name}"], 0, [*branches[f"el_{name}"][0], value]
        )
    third["el_charge"] = changed(branches["el_charge"], 0, [*branches["el_charge"][0], 1])
    number = branches["eventNumber"][0]
    two = _select_one(tmp_path, third)
    assert number not in two.arrays["event_number"]
    more = _select_one(tmp_path, third, exactly_two_leptons=False)
    assert number in more.arrays["event_number"]
    np.testing.assert_array_equal(more.arrays["leptons"][1:], two.arrays["leptons"])


def test_same_sign_pairs_are_kept_only_when_asked_for(tmp_path: Path, branches: Branches) -> None:
    positive = {
        name: abs(array) if name.endswith("_charge") else array for name, array in branches.items()
    }
    assert len(_select_one(tmp_path, positive).arrays["weight"]) == 0
    arrays = _select_one(tmp_path, positive, opposite_sign=False).arrays
    assert len(arrays["weight"]) > 0
    assert (arrays["leptons"][..., 4] < 0).all()
    assert (np.diff(arrays["leptons"][..., 0], axis=1) <= 0).all()


def test_events_without_two_true_neutrinos_are_cut(tmp_path: Path, branches: Branches) -> None:
    hadronic = dict(branches)
    for product, pdg_id in (("Wdecay1", 2), ("Wdecay2", -1)):
        name = f"Ttbar_MC_{product}_afterFSR_from_t_pdgId"
        hadronic[name] = changed(branches[name], 3, pdg_id)
    cutflow, before = (_select_one(tmp_path, b).cutflow for b in (hadronic, branches))
    assert list(before.values())[-1][0] - list(cutflow.values())[-1][0] == 1


def test_two_quarks_in_one_jet_are_unmatched(tmp_path: Path, branches: Branches) -> None:
    index = branches["event_jet_truth_idx"].to_numpy()
    matched = int(np.argmax((index[:, [0, 3]] >= 0).all(axis=1)))
    same = index.copy()
    same[matched, 3] = same[matched, 0]
    before = _select_one(tmp_path, branches).arrays["assignment"]
    after = _select_one(tmp_path, {**branches, "event_jet_truth_idx": ak.from_numpy(same)})
    expected = before.copy()
    expected[matched] = -1
    np.testing.assert_array_equal(after.arrays["assignment"], expected)
    assert (before[matched] >= 0).all()


def test_cutflows_add_up() -> None:
    assert add({"a": (3, 1.5), "b": (1, 0.5)}, {"a": (2, -1.0), "b": (0, 0.0)}) == {
        "a": (5, 0.5),
        "b": (1, 0.5),
    }
    assert add({}, {"a": (2, 1.0)}) == {"a": (2, 1.0)}
