from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from ntuples import Branches, read_branches, write_ntuple
from rootflow.config.data import DileptonDataConfig
from rootflow.dataset import Dataset
from rootflow.errors import InputError, UsageError
from small_datasets import build


def _with(config: DileptonDataConfig, **settings: Any) -> DileptonDataConfig:
    return DileptonDataConfig.model_validate({**config.model_dump(), **settings})


def test_the_shipped_sample(ttbar_dataset: Dataset) -> None:
    events = ttbar_dataset.events()
    assert len(ttbar_dataset) == len(events) == 20_000
    assert events.matched.mean() == pytest.approx(0.6937, abs=5e-5)
    assert ttbar_dataset.manifest.sum_of_weights == 20_000
    assert np.bincount(ttbar_dataset.events().fold, minlength=5).tolist() == pytest.approx(
        [20_000 / 5] * 5, abs=4 * np.sqrt(20_000 * 0.2 * 0.8)
    )


def test_padding_order_and_charge(ttbar_dataset: Dataset) -> None:
    events = ttbar_dataset.events()
    assert (events.jets[~events.jet_mask] == 0).all()
    assert (events.jets[events.jet_mask][:, [0, 3]] > 0).all()
    assert (np.diff(events.jets[..., 0], axis=1) <= 0).all()
    assert (np.diff(events.jet_mask.astype(int), axis=1) <= 0).all()
    assert (events.jet_mask.sum(axis=1) >= 2).all()
    assert (events.leptons[:, 0, 4] < 0).all()
    assert (events.leptons[:, 1, 4] > 0).all()
    for array in events.arrays().values():
        assert np.isfinite(array).all()


def test_truth_points_to_the_same_jet(ttbar_dataset: Dataset, ttbar_files: list[Path]) -> None:
    """The assigned jet's pT is that of the jet which the ntuple names."""
    events = ttbar_dataset.events()
    assert events.assignment is not None
    for place, path in enumerate(ttbar_files):
        raw = read_branches(path)
        mine = events.take(events.file_index == place)
        index = raw["event_jet_truth_idx"].to_numpy()[:, [0, 3]]
        pt = ak.fill_none(ak.pad_none(raw["jet_pt_NOSYS"], 30), np.nan).to_numpy() / 1000
        expected = np.where(index >= 0, np.take_along_axis(pt, np.maximum(index, 0), 1), np.nan)
        assert mine.assignment is not None
        found = np.take_along_axis(mine.jets[..., 0], np.maximum(mine.assignment, 0), 1)
        kept = mine.assignment >= 0
        np.testing.assert_allclose(found[kept], expected[kept], rtol=1e-6)
        # What is lost is beyond the eighth jet.
        lost = ~kept & (index >= 0)
        assert (mine.jet_mask.sum(axis=1)[lost.any(axis=1)] == 8).all()
        np.testing.assert_array_equal(mine.event_number, raw["eventNumber"].to_numpy())


def test_the_same_twice_is_the_same_bytes_and_found_again(
    config: DileptonDataConfig, ntuple: Path, tmp_path: Path
) -> None:
    one, two = (build(config, {"ttbar": [ntuple]}, tmp_path / name) for name in ("one", "two"))
    files = sorted(path.name for path in one.path.iterdir())
    assert files == sorted(path.name for path in two.path.iterdir())
    for name in files:
        assert (one.path / name).read_bytes() == (two.path / name).read_bytes()
    before = {path: path.stat().st_mtime_ns for path in one.path.iterdir()}
    assert build(config, {"ttbar": [ntuple]}, tmp_path / "one").path == one.path
    assert {path: path.stat().st_mtime_ns for path in one.path.iterdir()} == before


def test_the_manifest_says_what_is_there(
    config: DileptonDataConfig, ntuple: Path, tmp_path: Path
) -> None:
    dataset = build(_with(config, selection={"jet_pt_min_gev": 60}), {"ttbar": [ntuple]}, tmp_path)
    manifest = dataset.manifest
    assert manifest.digest == dataset.manifest.digest == dataset.path.name
    (sample,) = manifest.samples
    assert (sample.name, sample.label) == ("ttbar", None)
    assert sample.cutflow[0].events == sample.files[0].events_read == 400
    assert sample.cutflow[-1].events == sample.files[0].events_selected == len(dataset) < 400
    assert sample.files[0].path == str(ntuple)
    assert sample.normalisation is None
    assert manifest.features["jets"][0].model_dump() == {
        "name": "pt",
        "unit": "GeV",
        "changes_with": (),
        "branches": ("jet_pt_NOSYS",),
    }
    assert manifest.folds.count == 5
    assert manifest.event_numbers_in_several_files == 0


def test_files_that_share_event_numbers_are_told_apart(
    config: DileptonDataConfig, branches: Branches, tmp_path: Path
) -> None:
    files = [
        write_ntuple(tmp_path / "a.root", {name: array[:200] for name, array in branches.items()}),
        write_ntuple(
            tmp_path / "b.root",
            {name: array[200:] for name, array in branches.items()}
            | {"eventNumber": branches["eventNumber"][:200]},
        ),
    ]
    dataset = build(config, {"ttbar": files}, tmp_path / "datasets")
    events = dataset.events()
    assert len(events) == 400
    assert len(np.unique(events.event_number)) == 200
    assert dataset.manifest.event_numbers_in_several_files == 200
    assert len(set(zip(events.file_index, events.event_number, strict=True))) == 400
    same = events.event_number[events.file_index == 0] == events.event_number[200:]
    assert same.all()
    np.testing.assert_array_equal(events.fold[:200], events.fold[200:])


def test_weights_are_scaled_to_the_expected_events(
    config: DileptonDataConfig, branches: Branches, tmp_path: Path
) -> None:
    raw = np.linspace(-0.2, 2, 400).astype(np.float32)
    path = write_ntuple(tmp_path / "w.root", {**branches, "weight_mc_NOSYS": ak.Array(raw)})
    selection = {"jet_pt_min_gev": 40}
    weights = {"negative": "keep", "cross_section_pb": 90, "luminosity_fb_inverse": 2}
    weights["sum_of_weights"] = "as_read"
    plain = build(_with(config, selection=selection), {"ttbar": [path]}, tmp_path)
    scaled = build(_with(config, selection=selection, weights=weights), {"ttbar": [path]}, tmp_path)
    factor = 90 * 1000 * 2 / raw.astype(np.float64).sum()
    np.testing.assert_allclose(scaled.events().weight, plain.events().weight * factor)
    assert scaled.manifest.sum_of_weights == pytest.approx(scaled.events().weight.sum())
    assert scaled.manifest.samples[0].cutflow[0].sum_of_weights == pytest.approx(90 * 1000 * 2)
    assert 0 < len(plain) < 400


def test_data_has_no_truth(
    config: DileptonDataConfig, h4l_files: dict[str, list[Path]], tmp_path: Path
) -> None:
    settings = _with(
        config,
        branch_map="atlas_open_data",
        selection={"exactly_two_leptons": False, "opposite_sign": False, "jets_min": 0},
    )
    events = build(settings, {"ttbar": h4l_files["ZZ"]}, tmp_path).events()
    assert events.assignment is None
    assert events.neutrinos is None
    assert events.tops is None
    assert len(events) > 1000


def _refused(
    config: DileptonDataConfig, branches: Branches, directory: Path, message: str, **settings: Any
) -> None:
    path = write_ntuple(directory / "events.root", branches)
    datasets = directory / "datasets"
    with pytest.raises(InputError, match=message) as error:
        build(_with(config, **settings), {"ttbar": [path]}, datasets)
    assert "\n" not in str(error.value)
    assert [path.name for path in datasets.iterdir()] == ["file-digests.json"]


def test_zero_selected_events_show_the_cutflow(
    config: DileptonDataConfig, branches: Branches, tmp_path: Path
) -> None:
    _refused(
        config,
        branches,
        tmp_path,
        r"no event is selected.*all events: 400; .*opposite sign: 400; at least 30 jets.*: 0;",
        selection={"jets_min": 30},
    )


def test_a_tree_without_events(
    config: DileptonDataConfig, branches: Branches, tmp_path: Path
) -> None:
    empty = {name: array[:0] for name, array in branches.items()}
    _refused(config, empty, tmp_path, r"events\.root: it has no events$")


def test_weights_that_are_all_negative(
    config: DileptonDataConfig, branches: Branches, tmp_path: Path
) -> None:
    negative = {**branches, "weight_mc_NOSYS": -branches["weight_mc_NOSYS"]}
    _refused(
        config,
        negative,
        tmp_path,
        r"weights of the 400 selected events add up to -400: .* positive sum$",
    )


def test_a_file_without_events_beside_others(
    config: DileptonDataConfig, branches: Branches, ntuple: Path, tmp_path: Path
) -> None:
    empty = {name: array[:0] for name, array in branches.items()}
    files = [write_ntuple(tmp_path / "empty.root", empty), ntuple]
    dataset = build(config, {"ttbar": files}, tmp_path / "datasets")
    assert [file.events_read for file in dataset.manifest.samples[0].files] == [0, 400]


def test_a_directory_that_cannot_be_made(
    config: DileptonDataConfig, ntuple: Path, tmp_path: Path
) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(InputError, match=r"taken/datasets: cannot make this directory: Not a dir"):
        build(config, {"ttbar": [ntuple]}, tmp_path / "taken" / "datasets")


def test_a_nan_leaves_nothing_behind(
    config: DileptonDataConfig, branches: Branches, tmp_path: Path
) -> None:
    spoilt = {**branches, "met_phi_NOSYS": branches["met_phi_NOSYS"] * np.float32(np.nan)}
    first = branches["eventNumber"][0]
    _refused(config, spoilt, tmp_path, rf"event {first}: branch 'met_phi_NOSYS' is nan")


def test_an_event_number_that_repeats(
    config: DileptonDataConfig, branches: Branches, tmp_path: Path
) -> None:
    numbers = branches["eventNumber"]
    repeated = {**branches, "eventNumber": ak.concatenate([numbers[:399], numbers[:1]])}
    message = (
        rf"event {numbers[0]} occurs more than once; 1 of its 400 .* 'identity' .*drop or keep"
    )
    _refused(config, repeated, tmp_path, message)


def test_an_unknown_branch_map_is_a_wrong_command(
    config: DileptonDataConfig, ntuple: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no map 'none'"):
        build(_with(config, branch_map="none"), {"ttbar": [ntuple]}, tmp_path / "datasets")
    assert not (tmp_path / "datasets").exists()
