"""Cross sections and sums of weights of samples of several files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from four_lepton_ntuples import FLAT_SELECTION, read_mini
from ntuples import Branches, write_ntuple
from rootflow.config.data import FourLeptonDataConfig
from rootflow.dataset import Dataset
from rootflow.dataset.manifest import WeightScaling
from rootflow.errors import InputError, UsageError
from rootflow.ntuple import load_branch_map
from small_datasets import build


@pytest.fixture(scope="module")
def mini(h4l_files: dict[str, list[Path]]) -> Branches:
    needed = load_branch_map("atlas_open_data").model_dump_json()
    branches = read_mini(h4l_files["ZZ"][0], 200)
    return {name: array for name, array in branches.items() if f'"{name}"' in needed}


def _files(
    directory: Path, mini: Branches, says: Sequence[tuple[float, float]]
) -> dict[str, list[Path]]:
    """Return a sample of files, each of which says (cross section, sum of weights)."""
    size = 200 // len(says)
    paths = []
    for place, values in enumerate(says):
        events = {name: array[place * size : (place + 1) * size] for name, array in mini.items()}
        for name, value in zip(("XSection", "SumWeights"), values, strict=True):
            events[name] = ak.Array(np.full(size, value, dtype=np.float32))
        paths.append(write_ntuple(directory / f"{place}.root", events, tree="mini"))
    return {"ZZ": paths}


def _build(
    files: dict[str, list[Path]],
    directory: Path,
    sample: dict[str, Any] | None = None,
    **weights: Any,
) -> Dataset:
    config = FourLeptonDataConfig.model_validate(
        {
            "samples": {"ZZ": {"label": "background", **(sample or {})}},
            "weights": {"negative": "keep", "luminosity_fb_inverse": 2, **weights},
        }
    )
    return build(config, files, directory / "datasets")


def _normalisation(*arguments: Any, **settings: Any) -> WeightScaling:
    (sample,) = _build(*arguments, **settings).manifest.samples
    assert sample.normalisation is not None
    return sample.normalisation


@pytest.mark.parametrize("weights", [{}, {"sum_of_weights": "per_file"}])
def test_sums_of_files_add_up_and_cross_sections_are_averaged(
    mini: Branches, tmp_path: Path, weights: dict[str, str]
) -> None:
    files = _files(tmp_path, mini, [(0.5, 1000), (0.25, 3000)])
    found = _normalisation(files, tmp_path, **weights)
    assert found.sum_of_weights == 4000
    assert found.cross_section_pb == pytest.approx((0.5 * 1000 + 0.25 * 3000) / 4000)
    assert found.factor == pytest.approx(0.3125 * 2000 / 4000)


def test_two_files_of_one_job_each_weigh_as_one_file(mini: Branches, tmp_path: Path) -> None:
    """Splitting a job in two, each with its own sum, changes no weight."""
    one = _build(_files(tmp_path, mini, [(0.5, 4000)]), tmp_path)
    two = _build(
        _files(tmp_path, mini, [(0.5, 2000), (0.5, 2000)]), tmp_path, sum_of_weights="per_file"
    )
    np.testing.assert_array_equal(one.events().weight, two.events().weight)


def test_a_sum_of_the_sample_counts_once(mini: Branches, tmp_path: Path) -> None:
    files = _files(tmp_path, mini, [(0.5, 4000), (0.5, 4000)])
    found = _normalisation(files, tmp_path, sum_of_weights="per_sample")
    assert (found.sum_of_weights, found.cross_section_pb) == (4000, 0.5)


def test_files_that_say_the_same_need_a_word(mini: Branches, tmp_path: Path) -> None:
    files = _files(tmp_path, mini, [(0.5, 4000), (0.5, 4000)])
    with pytest.raises(UsageError, match=r"each of its 2 files says 4000 .* per_file or per_sam"):
        _build(files, tmp_path)


@pytest.mark.parametrize("says", [[(0.5, 4000), (0.5, 3000)], [(0.5, 4000), (0.4, 4000)]])
def test_files_of_one_sample_must_say_the_same(
    mini: Branches, tmp_path: Path, says: list[tuple[float, float]]
) -> None:
    with pytest.raises(InputError, match=r"0\.root says .* of the sample, .*1\.root says"):
        _build(_files(tmp_path, mini, says), tmp_path, sum_of_weights="per_sample")


def test_the_configuration_of_the_sample_goes_before_the_files(
    mini: Branches, tmp_path: Path
) -> None:
    files = _files(tmp_path, mini, [(0.5, 0), (0.5, -1)])
    found = _normalisation(files, tmp_path, {"cross_section_pb": 3, "sum_of_weights": 500})
    assert found.factor == pytest.approx(3 * 2000 / 500)
    half = _normalisation(files, tmp_path, {"sum_of_weights": 500})
    assert half.cross_section_pb == 0.5


@pytest.mark.parametrize("total", [0, -5, np.nan])
def test_a_sum_of_weights_that_scales_nothing(mini: Branches, tmp_path: Path, total: float) -> None:
    files = _files(tmp_path, mini, [(0.5, total)])
    said = rf"0\.root, event {mini['eventNumber'][0]} .*: branch 'SumWeights' is {total:g}"
    with pytest.raises(InputError, match=said):
        _build(files, tmp_path)


def test_a_sum_that_changes_within_a_file(mini: Branches, tmp_path: Path) -> None:
    sums = np.full(200, 100, dtype=np.float32)
    sums[150:] = 101
    path = write_ntuple(tmp_path / "two.root", {**mini, "SumWeights": ak.Array(sums)}, tree="mini")
    number = mini["eventNumber"][150]
    with pytest.raises(InputError, match=rf"event {number} .*: branch 'SumWeights' is 101 but 100"):
        _build({"ZZ": [path]}, tmp_path)


def test_a_file_without_events_does_not_say_its_sum(mini: Branches, tmp_path: Path) -> None:
    files = _files(tmp_path, mini, [(0.5, 4000)])
    empty = write_ntuple(
        tmp_path / "empty.root", {name: array[:0] for name, array in mini.items()}, tree="mini"
    )
    both = {"ZZ": [*files["ZZ"], empty]}
    with pytest.raises(InputError, match=r"empty\.root: it has no events, and so does not say"):
        _build(both, tmp_path)
    given = {"cross_section_pb": 0.5, "sum_of_weights": 4000}
    assert _normalisation(both, tmp_path, given).sum_of_weights == 4000


@pytest.mark.parametrize("key", ["cross_section_pb", "sum_of_weights"])
def test_what_neither_map_nor_sample_says(mini: Branches, tmp_path: Path, key: str) -> None:
    text = load_branch_map("atlas_open_data").model_copy(update={key: None})
    path = tmp_path / "mine.yaml"
    path.write_text(text.model_dump_json())
    files = _files(tmp_path, mini, [(0.5, 4000)])
    with pytest.raises(UsageError, match=rf"data\.samples\.ZZ\.{key}: the branch map .* say it"):
        _build(files, tmp_path, {"branch_map": str(path)})
    assert len(_build(files, tmp_path, {"branch_map": str(path), key: 3})) > 0


def test_expected_events_are_not_scaled_twice(mini: Branches, tmp_path: Path) -> None:
    files = _files(tmp_path, mini, [(0.5, 4000)])
    config = FourLeptonDataConfig.model_validate(
        {
            "samples": {"ZZ": {"label": "background", "cross_section_pb": 2}},
            "branch_map": "flat_four_leptons",
            "selection": FLAT_SELECTION,
            "weights": {"negative": "keep", "luminosity_fb_inverse": 2},
        }
    )
    with pytest.raises(UsageError, match=r"samples\.ZZ\.cross_section_pb: .* scaled already"):
        build(config, files, tmp_path / "datasets")
