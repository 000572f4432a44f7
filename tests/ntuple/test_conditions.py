"""What a map says of objects and events that count, and of triggers that a file lacks."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import yaml

from ntuples import Branches, entries_of, write_ntuple
from rootflow.config.data import DileptonDataConfig
from rootflow.dataset import Dataset, Events
from rootflow.dataset.event_reader import EventReader
from rootflow.dataset.reading import Collections
from rootflow.dataset.readings.dilepton import Dilepton
from rootflow.dataset.readings.four_leptons import FourLeptons
from rootflow.errors import InputError, UsageError
from rootflow.ntuple import load_branch_map, read_chunks
from small_datasets import build

MAP = load_branch_map("topcptoolkit").model_dump(mode="json", exclude_none=True)
FILTERS = "branch map: where"


@pytest.fixture(scope="module")
def masks(branches: Branches) -> Branches:
    """Return the branches of real events with masks of their jets and electrons, and filters."""
    random = np.random.default_rng(1)
    jets, electrons = (ak.num(branches[name]) for name in ("jet_eta", "el_eta"))
    return {
        **branches,
        # Bits that 32-bit floats do not keep.
        "jet_id": ak.unflatten(random.integers(0, 2**30, ak.sum(jets), dtype=np.int32), jets),
        "el_id": ak.unflatten(random.integers(0, 5, ak.sum(electrons), dtype=np.uint8), electrons),
        "good": random.random(len(jets)) < 0.8,
        "noise": random.random(len(jets)) < 0.1,
        "HLT_A": random.random(len(jets)) < 0.5,
    }


def _entries(jets: str | None = None, electrons: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a map with conditions."""
    first, *others = MAP["leptons"]
    changes = {
        "jets": {**MAP["jets"][0], "where": jets},
        "leptons": [{**first, "where": electrons}, *others],
    }
    return {**MAP, **changes, **more}


def _dataset(path: Path, entries: dict[str, Any], directory: Path, **more: Any) -> Dataset:
    map_path = path.with_name(f"{directory.name}.yaml")
    map_path.write_text(yaml.safe_dump(entries))
    settings = {"branch_map": str(map_path), "weights": {"negative": "keep"}, **more}
    return build(DileptonDataConfig.model_validate(settings), {"ttbar": [path]}, directory)


def _without(branches: Branches, prefix: str, kept: Any) -> Branches:
    """Return the branches without the objects that are not kept."""
    return {
        name: array[kept] if name.startswith(prefix) else array for name, array in branches.items()
    }


def _same(ours: Events, theirs: Events) -> None:
    others = theirs.arrays()
    for name, array in ours.arrays().items():
        np.testing.assert_array_equal(array, others[name], err_msg=name)


def test_what_does_not_count_is_as_if_it_were_not_there(tmp_path: Path, masks: Branches) -> None:
    """The dataset is that of a file without these objects, by numbers of the file's own lists."""
    path = write_ntuple(tmp_path / "all.root", masks)
    jets = "bit(jet_id, 0) and (jet_pt_NOSYS >= 40 or not bit(jet_id, 29))"
    entries = _entries(jets, "el_id >= 2")
    found = _dataset(path, entries, tmp_path / "found")

    mask, pt = masks["jet_id"], masks["jet_pt_NOSYS"]
    is_jet = (mask & 1 == 1) & ((pt >= 40_000) | (mask & 2**29 == 0))
    is_electron = masks["el_id"] >= 2
    place = ak.where(is_jet, ak.local_index(pt), -1)
    left = place[is_jet]
    index = ak.to_numpy(masks["event_jet_truth_idx"]).copy()
    for slot in range(index.shape[1]):
        # Where the jet is among those that are left.
        of = ak.argmax(left == index[:, slot], axis=1)
        there = ak.any(left == index[:, slot], axis=1)
        index[:, slot] = ak.to_numpy(ak.where(there, ak.fill_none(of, -1), -1))
    removed = _without(_without(masks, "jet_", is_jet), "el_", is_electron)
    removed["event_jet_truth_idx"] = ak.Array(index)
    other_path = write_ntuple(tmp_path / "removed.root", removed)
    expected = _dataset(other_path, _entries(), tmp_path / "expected")
    _same(found.events(), expected.events())
    assert 0 < len(found) < 400
    assert 0 < ak.sum(is_jet) < ak.sum(ak.num(is_jet))

    (applied,) = entries_of(EventReader(Dilepton(), entries), path)
    slots = applied.places["jets"]
    chosen = ak.to_numpy(ak.fill_none(ak.pad_none(pt[applied.selected], 30), 0)) / 1000
    at = np.take_along_axis(chosen, np.maximum(slots, 0), axis=1)
    np.testing.assert_allclose(applied.events.jets[..., 0], np.where(slots >= 0, at, 0), rtol=1e-6)
    lost = slots != np.arange(slots.shape[1])
    assert (lost & (slots >= 0)).any()


def test_objects_near_others_that_count_do_not(tmp_path: Path, masks: Branches) -> None:
    path = write_ntuple(tmp_path / "all.root", masks)
    entries = _entries("bit(jet_id, 0)", "el_id >= 2")
    entries["jets"] = {**entries["jets"], "apart_from": {"leptons": 1.0}}
    (chunk,) = read_chunks(path, load_branch_map(entries))
    near = np.zeros(chunk.objects["jets"].n_objects, dtype=bool)
    eta, phi = (ak.to_numpy(ak.flatten(masks[f"jet_{name}"])) for name in ("eta", "phi"))
    event = np.repeat(np.arange(400), ak.to_numpy(ak.num(masks["jet_eta"])))
    for prefix, counts in (("el", masks["el_id"] >= 2), ("mu", masks["mu_eta"] > -9)):
        for place in range(2):
            angles = [masks[f"{prefix}_{name}"][counts] for name in ("eta", "phi")]
            one = [ak.to_numpy(ak.fill_none(ak.pad_none(each, 2), 99)) for each in angles]
            delta_phi = np.abs(phi - one[1][event, place])
            delta_phi = np.where(delta_phi > np.pi, 2 * np.pi - delta_phi, delta_phi)
            near |= np.hypot(eta - one[0][event, place], delta_phi) < 1.0
    passes = chunk.objects["jets"].passes
    assert passes is not None
    is_jet = ak.to_numpy(ak.flatten(masks["jet_id"])) & 1 == 1
    np.testing.assert_array_equal(passes, is_jet & ~near)
    assert 50 < np.sum(is_jet & near) < np.sum(is_jet)


def test_what_others_keep_apart_from_is_read_where_it_is_not_kept(tmp_path: Path) -> None:
    """Taus keep apart from photons, and these from electrons, of which none is in the dataset."""
    momenta = {
        name: {
            "pt": {"branch": f"{name}_pt", "unit": "GeV"},
            "eta": f"{name}_eta",
            "phi": f"{name}_phi",
        }
        for name in ("taus", "photons", "electrons")
    }
    momenta["taus"]["apart_from"] = {"photons": 0.4}
    momenta["photons"]["apart_from"] = {"electrons": 0.4}
    momenta["photons"]["where"] = "photons_good"
    branches: Branches = {"number": np.arange(3)}
    for name, eta in {
        "taus": [[0.0, 1.0], [0.0], [2.0]],
        "photons": [[0.1, 1.1], [0.1], []],
        "electrons": [[], [0.3], [2.0]],
    }.items():
        array = ak.values_astype(ak.Array(eta), np.float32)
        branches |= {f"{name}_pt": 50 + 0 * array, f"{name}_eta": array, f"{name}_phi": 0 * array}
    branches["photons_good"] = ak.values_astype(ak.Array([[1, 0], [1], []]), bool)
    path = write_ntuple(tmp_path / "taus.root", branches)
    entries = {"tree": "reco", "event_number": "number", "collections": momenta}
    reader = EventReader(Collections(slots={"taus": 2}), entries)
    (found,) = (selected.arrays["tau_mask"] for _, selected in reader.chunks(path))
    # A photon that is near an electron still counts for taus: what is near is asked once.
    assert found.tolist() == [[True, False], [False, False], [True, False]]


def test_event_filters_are_the_first_cut(tmp_path: Path, masks: Branches) -> None:
    path = write_ntuple(tmp_path / "all.root", masks)
    found = _dataset(path, _entries(where="good and not noise"), tmp_path / "found")
    passes = masks["good"] & ~masks["noise"]
    everything, filters, *_ = found.manifest.samples[0].cutflow
    assert (everything.events, filters.name, filters.events) == (400, FILTERS, passes.sum())
    numbers = masks["eventNumber"].to_numpy()[passes]
    without = _dataset(path, _entries(), tmp_path / "without").events().event_number
    np.testing.assert_array_equal(found.events().event_number, without[np.isin(without, numbers)])


def test_a_trigger_that_a_file_may_lack_has_not_fired_there(
    tmp_path: Path, masks: Branches
) -> None:
    path = write_ntuple(tmp_path / "all.root", masks)
    entries = _entries(triggers=["HLT_A", "HLT_B"], may_lack=[*MAP["may_lack"], "HLT_B"])
    cuts = {"trigger": "HLT_A | HLT_B", "other": "~HLT_B"}
    found = _dataset(path, entries, tmp_path / "found", cuts=cuts)
    numbers = masks["eventNumber"].to_numpy()[masks["HLT_A"]]
    assert np.isin(found.events().event_number, numbers).all()
    cutflow = {cut.name: cut.events for cut in found.manifest.samples[0].cutflow}
    assert 0 < cutflow["trigger"] == cutflow["other"] == len(found)
    entries["may_lack"] = MAP["may_lack"]
    with pytest.raises(InputError, match=r"no branch 'HLT_B'; near matches: HLT_A"):
        _dataset(path, entries, tmp_path / "lacking", cuts=cuts)


def test_a_quantity_with_a_unit_keeps_it_in_a_condition(tmp_path: Path) -> None:
    """Also where the analysis reads none of it."""
    leptons = {
        "pdg_id": "id",
        "pt": {"branch": "pt", "unit": "MeV"},
        "eta": "eta",
        "phi": "phi",
        "ptcone30": {"branch": "cone", "unit": "MeV"},
        "etcone20": {"branch": "other", "unit": "MeV"},
        "where": "cone < 5",
    }
    entries = {"tree": "reco", "event_number": "n", "jet_n": "n", "leptons": leptons}
    branches = {
        "n": np.arange(2),
        "id": ak.Array([[11] * 5, [13] * 4]),
        "pt": ak.Array([[50e3] * 5, [50e3] * 4]),
        "eta": ak.Array([[0.0] * 5, [0.0] * 4]),
        "phi": ak.Array([[0.0, 1, 2, 3, 0.5], [0.0, 1, 2, 3]]),
        "cone": ak.Array([[4e3, 6e3, 0, 0, 0], [6e3, 0, 0, 0]]),
    }
    path = write_ntuple(tmp_path / "cone.root", branches)
    reader = EventReader(FourLeptons(selection=None), entries)
    assert reader.branch_map.leptons[0].etcone20 is None
    (chunk,) = (each for each, _ in reader.chunks(path))
    passes = chunk.objects["leptons"].passes
    assert passes is not None
    assert passes.tolist() == [True, False, True, True, True, False, True, True, True]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("jet_id &", r"where: invalid syntax, at column"),
        ("jet_id & 2", r"whether a mask has the bit of 2\^n is bit\(mask, n\)"),
        ("1 > 0", r"where: '1 > 0' compares literals"),
        ("has_bits(jet_id, 2)", r"where: there is no function 'has_bits'"),
        ("sum(jet_pt_NOSYS) > 3", r"says something of the event, not of each object"),
        ("jet_pt_NOSYS > jet_phi", r"GeV and rad"),
        ("jet_pt_NOSYS + jet_eta", r"GeV and none"),
    ],
)
def test_a_condition_is_checked_with_its_map(where: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        load_branch_map(_entries(where))
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("branch map given: jets")


def test_a_condition_of_events_is_checked_with_its_map() -> None:
    with pytest.raises(UsageError, match=r"^branch map given: .*where: there is no function"):
        load_branch_map(_entries(where="bits(good, 1)"))


@pytest.mark.parametrize(
    ("apart_from", "message"),
    [
        ({"jets": 0.4}, r"jets\.apart_from: 'jets' is no other collection"),
        ({"taus": 0.4}, r"jets\.apart_from: 'taus' is no other collection"),
        ({"leptons": 0}, r"jets\.apart_from\.leptons: Input should be greater than 0"),
    ],
)
def test_what_objects_keep_apart_from_is_another_collection(
    apart_from: dict[str, float], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        load_branch_map({**MAP, "jets": {**MAP["jets"][0], "apart_from": apart_from}})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"jets": "jet_ids > 1"}, r"no branch 'jet_ids'; near matches: jet_id"),
        ({"jets": "good"}, r"'good' does not hold a list of numbers for each event"),
        ({"jets": "el_id > 1"}, r"'el_id' has not as many values as there are momenta \(entry"),
        ({"jets": "jet_id"}, r"where: 'jet_id' is \d+, neither 0 nor 1, and stands as a condition"),
        ({"where": "jet_id > 1"}, r"'jet_id' does not hold one number for each event"),
        ({"jets": "1 / (jet_id - jet_id) > 1"}, r"event \d+.*is not a finite number"),
    ],
)
def test_what_a_file_does_not_have_is_named(
    tmp_path: Path, masks: Branches, changes: dict[str, str], message: str
) -> None:
    path = write_ntuple(tmp_path / "all.root", masks)
    with pytest.raises(InputError, match=message) as error:
        list(read_chunks(path, load_branch_map(_entries(**changes))))
    assert str(path) in str(error.value)
