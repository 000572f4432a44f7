"""Events that are there twice: told by who they are and by what they hold."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow.parquet as pq
import pytest
import uproot
import yaml

from four_lepton_ntuples import FLAT_SELECTION, as_collisions, flat_table, read_mini, write_csv
from ntuples import Branches, entries_of, write_ntuple
from rootflow.config import FoldingConfig
from rootflow.config.data import DileptonDataConfig, FourLeptonDataConfig
from rootflow.dataset import Dataset
from rootflow.dataset.event_reader import EventReader
from rootflow.dataset.folds import fold_of
from rootflow.dataset.readings.four_leptons import FourLeptons
from rootflow.dataset.repeated import content_of, repeated_numbers, repeats
from rootflow.errors import InputError, UsageError
from rootflow.ntuple import load_branch_map
from rootflow.ntuple.columns import Identity
from rootflow.ntuple.features import MOMENTUM
from rootflow.ntuple.objects import Objects
from small_datasets import build

KEEP = {"negative": "keep"}
EVENTS = 120
LABELS = {"ZZ": "background", "ggH": "signal", "data": "data", "more": "data"}


@pytest.fixture(scope="module")
def few(branches: Branches) -> Branches:
    return {name: array[:EVENTS] for name, array in branches.items()}


@pytest.fixture(scope="module")
def mini(h4l_files: dict[str, list[Path]]) -> Branches:
    needed = load_branch_map("atlas_open_data").model_dump_json()
    branches = read_mini(h4l_files["ZZ"][0], EVENTS)
    return {name: array for name, array in branches.items() if f'"{name}"' in needed}


@pytest.fixture(scope="module")
def collisions(mini: Branches) -> Branches:
    """Events of two runs, of 32-bit numbers that are the same in both, some of them negative."""
    number = np.tile(np.arange(EVENTS // 2) - 20, 2).astype(np.int32)
    run = np.repeat([298687, 298773], EVENTS // 2).astype(np.int32)
    return {**as_collisions(mini, slice(None)), "eventNumber": number, "runNumber": run}


def part(branches: Mapping[str, Any], events: slice, **changes: Any) -> Branches:
    return {name: array[events] for name, array in branches.items()} | changes


def ttbar(directory: Path, *files: Mapping[str, Any], **data: Any) -> Dataset:
    paths = [
        write_ntuple(directory / f"{place}.root", branches) for place, branches in enumerate(files)
    ]
    config = DileptonDataConfig.model_validate({"weights": KEEP, **data})
    return build(config, {"ttbar": paths}, directory / "datasets")


def h4l(directory: Path, ntuples: Mapping[str, Any], **data: Any) -> Dataset:
    """Build a dataset of samples of these branches, or of several files of them."""
    files = {
        name: [
            write_ntuple(directory / f"{name}_{place}.root", branches, tree="mini")
            for place, branches in enumerate(parts if isinstance(parts, list) else [parts])
        ]
        for name, parts in ntuples.items()
    }
    config = FourLeptonDataConfig.model_validate(
        {
            "samples": {
                name: {"label": LABELS[name], "files": list(map(str, paths))}
                for name, paths in files.items()
            },
            "weights": {**KEEP, "luminosity_fb_inverse": 10, "sum_of_weights": "per_sample"},
            **data,
        }
    )
    return build(config, files, directory / "datasets")


def counts(dataset: Dataset) -> list[tuple[int, int]]:
    return [
        (sample.repeated_events_dropped, sample.repeated_events_kept)
        for sample in dataset.manifest.samples
    ]


def same(one: Dataset, other: Dataset, *but: str) -> None:
    assert set(one.manifest.arrays) == set(other.manifest.arrays)
    for name, array in one.events().arrays().items():
        if name not in but:
            np.testing.assert_array_equal(getattr(other.events(), name), array, err_msg=name)


def own_map(directory: Path, base: str, **entries: Any) -> str:
    path = directory / "own.yaml"
    path.write_text(yaml.safe_dump({"base": base, **entries}))
    return str(path)


@pytest.mark.parametrize("at_once", [7, 1_000_000])
def test_numbers_are_counted_once_however_they_are_parted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("rootflow.dataset.repeated.NUMBERS_AT_ONCE", at_once)
    files = [range(100), range(60, 120), range(50, 70), [*range(200, 210), 205, 3]]
    numbers = np.concatenate([np.array(file, dtype=np.uint64) for file in files])
    np.save(tmp_path / "event_number.npy", numbers)
    np.save(tmp_path / "file_index.npy", np.repeat(np.arange(4), list(map(len, files))))
    assert repeated_numbers(tmp_path) == 51


@pytest.mark.parametrize("at_once", [7, 1_000_000])
def test_repeats_are_found_however_keys_are_parted(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("rootflow.dataset.repeated.NUMBERS_AT_ONCE", at_once)
    keys = np.array([5, 0, 9, 5, 0, 2**64 - 1, 9, 5, 3, 2**64 - 1] * 3, dtype=np.uint64)
    first, again = repeats(keys)
    seen: dict[int, int] = {}
    wanted = {}
    for place, key in enumerate(keys.tolist()):
        if key and seen.setdefault(key, place) != place:
            wanted[place] = seen[key]
    assert dict(zip(again.tolist(), first.tolist(), strict=True)) == wanted


def test_content_is_that_of_the_momenta() -> None:
    features = np.arange(20, dtype=np.float32).reshape(4, 5)
    event = np.array([0, 0, 1, 2])
    who = Identity(np.array([7, 7, 7, 8]), {})

    def content(features: Any, event: Any, who: Identity = who) -> list[int]:
        offsets = np.searchsorted(event, np.arange(5))
        columns = dict(zip((*MOMENTUM, "btag"), features.T, strict=True))
        return content_of(who, [Objects(offsets, columns)]).tolist()

    before = content(features, event)
    assert before[3] == 0  # no object, nothing to compare
    assert len(set(before)) == 4
    order = [1, 0, 2, 3]
    assert content(features[order], event[order]) == before
    other_identification = features.copy()
    other_identification[:, 4] += 1
    assert content(other_identification, event) == before
    for place in range(4):
        other = features.copy()
        other[2, place] = np.nextafter(other[2, place], np.inf)
        assert [a == b for a, b in zip(content(other, event), before, strict=True)] == [
            True, False, True, True,
        ]  # fmt: skip
    assert content(features, event, Identity(who.number + 1, {}))[0] != before[0]
    rows = (Identity(np.arange(4, dtype=np.uint64) + n, {}, of_row=True) for n in (0, 9))
    assert len({tuple(content(features, event, of_rows)) for of_rows in rows}) == 1


def test_jobs_of_a_generator_that_count_from_zero_in_one_file(
    tmp_path: Path, few: Branches
) -> None:
    numbers, jobs = np.arange(EVENTS) % 40, np.arange(EVENTS) // 40
    merged = {**few, "eventNumber": numbers, "job": jobs.astype(np.uint16)}
    with pytest.raises(
        InputError, match=rf"event 0 occurs more than once; 80 of its {EVENTS} .* topcptoolkit, or"
    ):
        ttbar(tmp_path, merged)
    told = own_map(tmp_path, "topcptoolkit", identity=["job", "eventNumber"], may_lack=[])
    dataset = ttbar(tmp_path, merged, branch_map=told)
    events = dataset.events()
    assert len(events) == EVENTS
    assert events.identity_columns["job"].tolist() == jobs.tolist()
    assert events.event_number.tolist() == numbers.tolist()
    np.testing.assert_array_equal(events.fold, fold_of(numbers, FoldingConfig()))
    assert events.in_words(50) == "event 10 (job 1)"
    twice = {**merged, "eventNumber": np.where(jobs == 2, 3, numbers)}
    with pytest.raises(InputError, match=rf"event 3 \(job 2\) occurs .* 39 of its {EVENTS} events"):
        ttbar(tmp_path, twice, branch_map=told)
    assert len(ttbar(tmp_path, twice, branch_map=told, repeated_events="keep")) == EVENTS
    dropped = ttbar(tmp_path, twice, branch_map=told, repeated_events="drop")
    assert len(dropped) == 81
    assert counts(dropped) == [(39, 0)]


def test_jobs_that_share_numbers_in_files_of_their_own(tmp_path: Path, few: Branches) -> None:
    half = EVENTS // 2
    files = [part(few, slice(half)), part(few, slice(half, None))]
    files[1]["eventNumber"] = files[0]["eventNumber"]
    dataset = ttbar(tmp_path, *files)
    assert len(dataset) == EVENTS
    assert dataset.manifest.event_numbers_in_several_files == half
    assert counts(dataset) == [(0, 0)]


def test_skims_that_overlap(tmp_path: Path, few: Branches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rootflow.dataset.arrays.EVENTS_AT_ONCE", 16)
    monkeypatch.setattr("rootflow.dataset.repeated.EVENTS_AT_ONCE", 16)
    weight = np.linspace(0.5, 2, EVENTS).astype(np.float32)
    few = {**few, "weight_mc_NOSYS": ak.Array(weight), "runNumber": np.arange(EVENTS) // 50}
    skims = [part(few, slice(70)), part(few, slice(50, None))]
    scaled = {
        "weights": {
            **KEEP,
            "cross_section_pb": 90,
            "luminosity_fb_inverse": 2,
            "sum_of_weights": "as_read",
        },
        "selection": {"jet_pt_min_gev": 45},
    }
    with pytest.raises(
        InputError, match=r"1\.root: event \d+ \(runNumber 1\) is in .*/0\.root, too; 20 of its 70 "
    ):
        ttbar(tmp_path, *skims, **scaled)
    once = ttbar(tmp_path / "once", part(few, slice(70)), part(few, slice(70, None)), **scaled)
    dropped = ttbar(tmp_path, *skims, **scaled, repeated_events="drop")
    same(once, dropped, "weight")
    # The sum of all weights is made in another order.
    np.testing.assert_allclose(dropped.events().weight, once.events().weight, rtol=1e-12)
    assert 20 < len(dropped) < EVENTS
    assert counts(dropped) == [(20, 0)]
    (sample,), (alone,) = dropped.manifest.samples, once.manifest.samples
    assert [(cut.name, cut.events) for cut in sample.cutflow[:2]] == [
        ("all events", 140),
        ("each event once", EVENTS),
    ]
    assert [cut.events for cut in sample.cutflow[2:]] == [cut.events for cut in alone.cutflow[1:]]
    assert [file.events_selected for file in sample.files] == [
        file.events_selected for file in alone.files
    ]
    assert sample.sum_of_weights == pytest.approx(dropped.events().weight.sum())
    kept = ttbar(tmp_path, *skims, **scaled, repeated_events="keep")
    assert len(kept) > len(dropped)
    assert counts(kept) == [(0, 20)]


def test_an_event_in_two_samples(tmp_path: Path, mini: Branches) -> None:
    samples = {"ZZ": mini, "ggH": part(mini, slice(30))}
    message = rf"ggH_0\.root: event {mini['eventNumber'][0]} \(runNumber 284500, .*30 of its 30 ev"
    with pytest.raises(InputError, match=message):
        h4l(tmp_path, samples)
    kept = h4l(tmp_path, samples, repeated_events="keep")
    assert counts(kept) == [(0, 0), (0, 30)]
    with pytest.raises(
        InputError, match=r"^sample ggH: no event is selected; .*each event once: 0"
    ):
        h4l(tmp_path, samples, repeated_events="drop")


def test_runs_of_collisions_that_share_numbers(tmp_path: Path, collisions: Branches) -> None:
    events = h4l(tmp_path, {"data": collisions}).events()
    assert len(events) > 60
    numbers, columns = events.event_number.tolist(), events.identity_columns
    assert len(set(numbers)) < len(set(zip(numbers, columns["runNumber"].tolist(), strict=True)))
    by_number = own_map(tmp_path, "atlas_open_data", identity=[], may_lack=[])
    with pytest.raises(InputError, match="event -20 occurs more than once; 60 of its 120 events"):
        h4l(tmp_path, {"data": collisions}, branch_map=by_number, repeated_events="refuse")


def test_streams_of_collisions_that_overlap_count_once(
    tmp_path: Path, collisions: Branches
) -> None:
    first, second = part(collisions, slice(70)), part(collisions, slice(40, None))
    # The second was calibrated anew: the same events by their runs and numbers alone.
    second["lep_pt"] = second["lep_pt"] * np.float32(1.01)
    second["lep_E"] = second["lep_E"] * np.float32(1.01)
    once = h4l(tmp_path / "once", {"data": [first, part(second, slice(30, None))]})
    for samples in ({"data": [first, second]}, {"data": first, "more": second}):
        both = h4l(tmp_path, samples)
        same(once, both, "sample", "file_index")
        assert sum(dropped for dropped, _ in counts(both)) == 30
    with pytest.raises(InputError, match=r"event 20 \(run.*30 of its 80 events"):
        h4l(tmp_path, {"data": [first, second]}, repeated_events="refuse")
    assert counts(h4l(tmp_path, {"data": [first, second]}, repeated_events="keep")) == [(0, 30)]


def test_files_without_a_run_share_numbers_but_not_events(
    tmp_path: Path, collisions: Branches
) -> None:
    bare = {
        name: array
        for name, array in collisions.items()
        if name not in ("runNumber", "channelNumber")
    }
    halves = [part(bare, slice(60)), part(bare, slice(60, None))]
    assert counts(h4l(tmp_path, {"data": halves})) == [(0, 0)]
    overlap = part(bare, slice(30))
    assert counts(h4l(tmp_path, {"data": [*halves, overlap]})) == [(30, 0)]
    # One with runs, one without: what is the same in them is seen by its momenta.
    mixed = h4l(tmp_path, {"data": [collisions, overlap, part(bare, slice(0))]})
    assert counts(mixed) == [(30, 0)]
    assert mixed.events().in_words(0).startswith("event -")


def test_collisions_that_are_simulated_events_are_not_dropped_silently(
    tmp_path: Path, mini: Branches
) -> None:
    samples = {"ZZ": mini, "data": as_collisions(mini, slice(30))}
    with pytest.raises(InputError, match=r"data_0\.root: event .* is in .*ZZ_0\.root, too"):
        h4l(tmp_path, samples)


def test_rows_of_tables_without_numbers(tmp_path: Path, mini: Branches) -> None:
    table = flat_table(mini)
    del table["eventNumber"]
    halves = [{name: column[half] for name, column in table.items()}
              for half in (slice(60), slice(40, None))]  # fmt: skip
    paths = [write_csv(tmp_path / f"{place}.csv", half) for place, half in enumerate(halves)]
    config = {
        "samples": {"ZZ": {"label": "background"}},
        "branch_map": "flat_four_leptons",
        "selection": FLAT_SELECTION,
        "weights": {**KEEP, "luminosity_fb_inverse": 10},
    }

    def make(**settings: Any) -> Dataset:
        chosen = FourLeptonDataConfig.model_validate(config | settings)
        return build(chosen, {"ZZ": paths}, tmp_path / "datasets")

    with pytest.raises(InputError, match=r"1\.csv: event 0 is in .*0\.csv, too; 20 of its"):
        make()
    assert counts(make(repeated_events="drop")) == [(20, 0)]


def test_negative_numbers_are_those_of_the_ntuple(tmp_path: Path, collisions: Branches) -> None:
    dataset = h4l(tmp_path, {"data": collisions}, copies=["root", "npz", "parquet"])
    events = dataset.events()
    selected = np.isin(collisions["eventNumber"], events.event_number)
    assert set(events.event_number.tolist()) <= set(collisions["eventNumber"].tolist())
    assert (events.event_number < 0).any()
    assert selected.any()
    bits = events.event_number.astype(np.uint64)
    np.testing.assert_array_equal(events.fold, fold_of(bits, FoldingConfig()))
    with uproot.open(dataset.path.with_suffix(".root")) as file:
        root = file["events"].arrays(["event_number", "identity_runNumber"], library="np")
    parquet = pq.read_table(dataset.path.with_suffix(".parquet"))
    with np.load(dataset.path.with_suffix(".npz")) as arrays:
        np.testing.assert_array_equal(arrays["event_number"], events.event_number)
    for column in ("event_number", "identity_runNumber"):
        wanted = (
            events.event_number
            if column == "event_number"
            else events.identity_columns["runNumber"]
        )
        np.testing.assert_array_equal(root[column], wanted)
        np.testing.assert_array_equal(parquet[column].to_numpy(), wanted)
    reader = EventReader(FourLeptons(selection=None), "atlas_open_data")
    loose = entries_of(reader, tmp_path / "data_0.root")[0].events
    assert (loose.event_number < 0).any()
    np.testing.assert_array_equal(loose.fold, fold_of(loose.event_number, FoldingConfig()))
    spoilt = {**collisions, "lep_eta": collisions["lep_eta"] * np.float32(np.nan)}
    with pytest.raises(InputError, match=r"event -20 \(runNumber 298687, channelNumber \d+\): br"):
        h4l(tmp_path / "spoilt", {"data": spoilt})


def test_numbers_of_64_bits_without_a_sign(tmp_path: Path, few: Branches) -> None:
    large = np.arange(EVENTS, dtype=np.uint64) + np.uint64(2**63)
    events = ttbar(tmp_path, {**few, "eventNumber": large}).events()
    assert events.event_number.tolist() == large.tolist()
    half = EVENTS // 2
    negative = part(few, slice(half), eventNumber=-1 - np.arange(half))
    with pytest.raises(InputError, match=r"1\.root: its event numbers, .* no type of integers"):
        ttbar(tmp_path, negative, part(few, slice(half, None), eventNumber=large[half:]))
    large_run = {**few, "runNumber": large}
    with pytest.raises(InputError, match=r"branch 'runNumber' is 2\^63 or more"):
        ttbar(tmp_path, large_run)


def test_files_that_lack_a_branch_of_the_identity(tmp_path: Path, few: Branches) -> None:
    half = EVENTS // 2
    with_run = part(few, slice(half), runNumber=np.full(half, 4, dtype=np.int32))
    events = ttbar(tmp_path, with_run, part(few, slice(half, None))).events()
    assert set(events.identity_columns) == {"runNumber"}
    assert events.identity_columns["runNumber"].tolist() == [4] * half + [-1] * half
    assert "(" not in events.in_words(half)
    assert ttbar(tmp_path / "none", few).events().identity is None


def test_another_number_may_decide_the_fold(tmp_path: Path, mini: Branches) -> None:
    toy = np.arange(EVENTS, dtype=np.int64)[::-1] - 7
    told = own_map(tmp_path, "atlas_open_data", fold_number="toy")
    dataset = h4l(tmp_path, {"ZZ": {**mini, "toy": toy}}, branch_map=told)
    events = dataset.events()
    number = mini["eventNumber"].to_numpy()
    decides = toy[np.searchsorted(number, events.event_number)]
    np.testing.assert_array_equal(events.fold_numbers, decides.astype(np.uint64))
    np.testing.assert_array_equal(events.fold, fold_of(decides, FoldingConfig()))
    assert (events.fold != fold_of(events.event_number, FoldingConfig())).any()
    loose = entries_of(EventReader(FourLeptons(selection=None), told), tmp_path / "ZZ_0.root")[
        0
    ].events
    np.testing.assert_array_equal(loose.fold, fold_of(loose.fold_numbers, FoldingConfig()))


@pytest.mark.parametrize(
    ("base", "entries", "message"),
    [
        ("topcptoolkit", {"may_lack": ["jet_eta"]}, "'jet_eta' is no branch of event_number"),
        ("topcptoolkit", {"identity": ["job", "job"]}, "each branch can be named once"),
        ("atlas_open_data", {"may_lack": ["lep_eta"]}, "'lep_eta' is no branch of"),
    ],
)
def test_maps_that_say_what_cannot_be(
    tmp_path: Path, base: str, entries: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        load_branch_map(own_map(tmp_path, base, **entries))


def test_an_identity_that_is_no_integer(tmp_path: Path, few: Branches) -> None:
    told = own_map(tmp_path, "topcptoolkit", identity=["met_phi_NOSYS", "eventNumber"], may_lack=[])
    with pytest.raises(InputError, match="branch 'met_phi_NOSYS' does not hold one integer"):
        ttbar(tmp_path, few, branch_map=told)


@pytest.mark.parametrize(
    ("branch", "value"), [("mcWeight", -1.0), ("XSection", 0.3), ("SumWeights", 4000.0)]
)
def test_simulation_given_as_collisions(
    tmp_path: Path, collisions: Branches, branch: str, value: float
) -> None:
    branches = {name: np.ones(EVENTS, dtype=np.float32) for name in ("mcWeight", "SumWeights")}
    assert len(h4l(tmp_path, {"data": collisions | branches})) > 60
    branches[branch] = np.full(EVENTS, value, dtype=np.float32)
    said = rf"data_0\.root: branch '{branch}' is {value:g}, as in simulation.*pseudo_data=true"
    with pytest.raises(InputError, match=said):
        h4l(tmp_path, {"data": collisions | branches})


def test_simulation_in_a_table_given_as_collisions(tmp_path: Path, mini: Branches) -> None:
    table = flat_table(mini)
    config = FourLeptonDataConfig.model_validate(
        {
            "samples": {"data": {"label": "data", "files": ["x"]}},
            "branch_map": "flat_four_leptons",
            "selection": FLAT_SELECTION,
            "weights": {**KEEP, "luminosity_fb_inverse": 10},
        }
    )
    path = write_csv(tmp_path / "simulated.csv", table)
    with pytest.raises(InputError, match=r"simulated\.csv: branch 'totalWeight' is .* simulation"):
        build(config, {"data": [path]}, tmp_path)
    del table["totalWeight"]
    assert len(build(config, {"data": [write_csv(tmp_path / "data.csv", table)]}, tmp_path)) > 60


def test_pseudo_data_are_asked_for_by_name(tmp_path: Path, mini: Branches) -> None:
    sample = {"label": "data", "files": ["x"], "pseudo_data": True}
    dataset = h4l(tmp_path, {"data": mini}, samples={"data": sample})
    assert (dataset.events().weight == 1).all()
    assert {each.name for each in dataset.manifest.samples if each.pseudo_data} == {"data"}
    with pytest.raises(ValueError, match="pseudo_data is for samples of label data"):
        FourLeptonDataConfig.model_validate(
            {"samples": {"ZZ": {"label": "signal", "pseudo_data": True}}, "weights": KEEP}
        )


@pytest.mark.parametrize("weight", [-1.0, 0.0])
def test_a_sample_of_less_than_nothing(tmp_path: Path, mini: Branches, weight: float) -> None:
    weights = np.full(EVENTS, weight, dtype=np.float32)
    weights[0] = 0.5
    negative = part(mini, slice(1, None), mcWeight=weights[1:]) if weight else None
    if negative is None:
        cancels = np.where(np.arange(EVENTS) % 2, 1.0, -1.0 - 1e-3).astype(np.float32)
        negative = {**mini, "mcWeight": cancels}
    other = part(mini, slice(None), eventNumber=mini["eventNumber"] + EVENTS)
    with pytest.raises(InputError, match=r"^sample ZZ: the weights .* add up to -.* positive sum$"):
        h4l(tmp_path, {"ggH": other, "ZZ": negative})
