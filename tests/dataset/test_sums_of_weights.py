"""Sums of weights of histograms and of other trees, which files without events have, too."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
import yaml

from four_lepton_ntuples import read_mini
from ntuples import Branches, write_ntuple
from rootflow.config.data import DileptonDataConfig, FourLeptonDataConfig
from rootflow.dataset import Dataset
from rootflow.errors import InputError, UsageError
from rootflow.ntuple import load_branch_map
from small_datasets import build

LUMINOSITY = 140.0
CROSS_SECTION = 88.3
FACTOR_1 = CROSS_SECTION * 1000 * LUMINOSITY  # of a sum of weights of 1
TREE = {"tree": "Runs", "branch": "genEventSumw"}
HISTOGRAM = {"histogram": "CutBookkeeper_*_NOSYS", "bin": 2}


def _write(path: Path, tree: str, branches: Branches, beside: Mapping[str, Any]) -> Path:
    """Write events, and beside them histograms of these bins, or trees of these branches."""
    write_ntuple(path, branches, tree)
    with uproot.update(path) as file:
        for name, content in beside.items():
            if isinstance(content, dict):
                file.mktree(name, {key: value.dtype for key, value in content.items()})
                file[name].extend(content)
            else:
                file[name] = np.asarray(content, np.float64), np.arange(len(content) + 1.0)
    return path


def _ttbar(folder: Path, files: list[Path], branch_map: str, **weights: Any) -> Dataset:
    config = {
        "branch_map": branch_map,
        "samples": {"ttbar": {"files": ["*"], "cross_section_pb": CROSS_SECTION}},
        "weights": {"negative": "keep", "luminosity_fb_inverse": LUMINOSITY} | weights,
    }
    return build(DileptonDataConfig.model_validate(config), {"ttbar": files}, folder / "out")


def _map_of(folder: Path, where: Mapping[str, Any], base: str = "topcptoolkit") -> str:
    path = folder / "map.yaml"
    path.write_text(yaml.safe_dump({"base": base, "sum_of_weights": dict(where)}))
    return str(path)


@pytest.fixture
def halves(branches: Branches) -> list[Branches]:
    return [
        {name: array[part] for name, array in branches.items()}
        for part in (slice(0, 200), slice(200, 400))
    ]


def test_histograms_of_all_files_are_added_in_the_shipped_map(
    tmp_path: Path, halves: list[Branches], branches: Branches
) -> None:
    """Normalisation is luminosity x cross section / sum, here of each job's own histograms."""
    beside = [
        {
            "CutBookkeeper_410472_284500_NOSYS": [500, 1000.5, 7],
            "CutBookkeeper_410472_300000_NOSYS": [500, 2000.25, 7],  # of another campaign
            "CutBookkeeper_410472_284500_GEN_MUR2": [500, 9e9, 7],
        },
        {"CutBookkeeper_410472_310000_NOSYS": [500, 4000.125, 7]},
    ]
    files = [
        _write(tmp_path / f"{place}.root", "reco", half, beside[place])
        for place, half in enumerate(halves)
    ]
    dataset = _ttbar(tmp_path, files, "topcptoolkit")
    (sample,) = dataset.manifest.samples
    assert sample.normalisation is not None
    assert sample.normalisation.sum_of_weights == 7000.875
    assert sample.normalisation.factor == pytest.approx(FACTOR_1 / 7000.875)
    read = float(np.asarray(branches["weight_mc_NOSYS"]).sum(dtype=np.float64))
    assert sample.cutflow[0].sum_of_weights == pytest.approx(FACTOR_1 / 7000.875 * read)
    assert dataset.events().weight.sum() == pytest.approx(sample.sum_of_weights)


def test_a_tree_is_summed_over_its_entries_even_of_files_without_events(
    tmp_path: Path, halves: list[Branches]
) -> None:
    nothing = {name: array[:0] for name, array in halves[0].items()}
    runs = ({"genEventSumw": np.array(sums)} for sums in ([100.0, 200.0], [400.0], [800.0]))
    files = [
        _write(tmp_path / f"{place}.root", "reco", half, {"Runs": of_file})
        for place, (half, of_file) in enumerate(zip([*halves, nothing], runs, strict=True))
    ]
    (sample,) = _ttbar(tmp_path, files, _map_of(tmp_path, TREE)).manifest.samples
    assert sample.normalisation is not None
    assert sample.normalisation.sum_of_weights == 1500
    assert [file.events_read for file in sample.files] == [200, 200, 0]


def test_files_of_one_sum_are_of_jobs_with_as_many_events(
    tmp_path: Path, halves: list[Branches]
) -> None:
    files = [
        _write(tmp_path / f"{place}.root", "reco", half, {"CutBookkeeper_1_2_NOSYS": [1, 50, 1]})
        for place, half in enumerate(halves)
    ]
    (sample,) = _ttbar(tmp_path, files, "topcptoolkit").manifest.samples
    assert sample.normalisation is not None
    assert sample.normalisation.sum_of_weights == 100
    (sample,) = _ttbar(tmp_path, files, "topcptoolkit", sum_of_weights="as_read").manifest.samples
    assert sample.normalisation is not None
    assert sample.normalisation.sum_of_weights == pytest.approx(
        sum(file.sum_of_weights_read for file in sample.files)
    )


def test_cross_sections_of_four_lepton_events_are_averaged_over_files_that_have_events(
    tmp_path: Path, h4l_files: dict[str, list[Path]]
) -> None:
    mini = read_mini(h4l_files["ZZ"][0], 300)
    files = []
    for place, (part, sums) in enumerate(
        [(slice(0, 100), [1, 30.0]), (slice(100, 300), [1, 10.0]), (slice(0, 0), [1, 60.0])]
    ):
        events = {name: array[part] for name, array in mini.items()}
        events["XSection"] = np.full(len(events["XSection"]), [2.0, 4.0, 0.0][place], np.float32)
        files.append(_write(tmp_path / f"{place}.root", "mini", events, {"cutflow": sums}))
    where = {"histogram": "cutflow", "bin": 2}
    config = {
        "branch_map": _map_of(tmp_path, where, "atlas_open_data"),
        "samples": {"ZZ": {"label": "background"}},
        "weights": {"negative": "keep", "luminosity_fb_inverse": 10},
    }
    (sample,) = build(
        FourLeptonDataConfig.model_validate(config), {"ZZ": files}, tmp_path / "out"
    ).manifest.samples
    assert sample.normalisation is not None
    assert sample.normalisation.sum_of_weights == 100
    assert sample.normalisation.cross_section_pb == pytest.approx((2 * 30 + 4 * 10) / 40)
    assert sample.normalisation.factor == pytest.approx(2.5 * 1000 * 10 / 100)


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ({**HISTOGRAM, "bin": 4}, r"histogram 'CutBookkeeper_1_2_NOSYS' has 3 bins, and no bin 4"),
        ({**HISTOGRAM, "bin": 3}, r"sample ttbar: the sum of weights .*is 0: weights cannot"),
        (
            {**HISTOGRAM, "histogram": "cutflow"},
            r"no histogram 'cutflow'; histograms in it: CutBookkeeper_1_2_NOSYS",
        ),
        (TREE | {"tree": "runs"}, r"no tree 'runs'; trees in it: Runs, reco"),
        (TREE | {"branch": "sumw"}, r"tree 'Runs' has no branch 'sumw'"),
        (TREE | {"branch": "flag"}, r"branch 'flag' of tree 'Runs', is nan, which is no number"),
    ],
)
def test_what_is_not_there_is_named(
    tmp_path: Path, halves: list[Branches], where: dict[str, Any], says: str
) -> None:
    runs = {"genEventSumw": np.array([3.0]), "flag": np.array([np.nan])}
    beside = {"CutBookkeeper_1_2_NOSYS": [1, 50, 0], "Runs": runs}
    path = _write(tmp_path / "0.root", "reco", halves[0], beside)
    with pytest.raises(InputError, match=says):
        _ttbar(tmp_path, [path], _map_of(tmp_path, where))


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ({"histogram": "cutflow"}, r"sum_of_weights.*bin: Field required"),
        ({"histogram": "cutflow", "bin": 0}, r"sum_of_weights.*bin: .*greater than or equal to 1"),
        ({"tree": "Runs"}, r"sum_of_weights.*branch: Field required"),
        ({"tree": "Runs", "branch": "x", "bin": 1}, r"sum_of_weights.*bin: Extra inputs"),
        ({"histogram": "h", "bin": 1, "unit": "GeV"}, r"sum_of_weights.*unit: Extra inputs"),
    ],
)
def test_a_map_that_says_half_of_it_is_refused(where: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load_branch_map({"sum_of_weights": where})


def test_shipped_maps_say_where_the_frameworks_put_it() -> None:
    for name in ("topcptoolkit", "topcptoolkit_nuflows"):
        assert (
            load_branch_map(name).sum_of_weights
            == load_branch_map({"sum_of_weights": HISTOGRAM}).sum_of_weights
        )
    for version in ("v9", "v12", "v15"):
        assert (
            load_branch_map(f"nanoaod_{version}").sum_of_weights
            == load_branch_map({"sum_of_weights": TREE}).sum_of_weights
        )


def _one_sample(folder: Path, files: list[Path], **weights: Any) -> Dataset:
    config = {
        "weights": {
            "negative": "keep",
            "cross_section_pb": CROSS_SECTION,
            "luminosity_fb_inverse": LUMINOSITY,
            **weights,
        }
    }
    return build(DileptonDataConfig.model_validate(config), {"ttbar": files}, folder / "out")


def test_one_sample_without_a_name_is_scaled_by_what_its_files_say(
    tmp_path: Path, halves: list[Branches]
) -> None:
    files = [
        _write(tmp_path / f"{place}.root", "reco", half, {"CutBookkeeper_1_2_NOSYS": [5, 1e4, 7]})
        for place, half in enumerate(halves)
    ]
    (sample,) = _one_sample(tmp_path, files).manifest.samples
    assert sample.normalisation is not None
    assert sample.normalisation.sum_of_weights == 2e4
    (as_read,) = _one_sample(tmp_path, files, sum_of_weights="as_read").manifest.samples
    assert as_read.normalisation is not None
    assert as_read.normalisation.sum_of_weights == 400


def test_a_file_that_does_not_say_its_sum_is_told_what_does_without(
    tmp_path: Path, branches: Branches
) -> None:
    path = write_ntuple(tmp_path / "simulated.root", branches)
    with pytest.raises(InputError, match=r"no histogram 'CutBookkeeper_.*sum_of_weights.*as_read"):
        _one_sample(tmp_path, [path])


def test_a_file_may_have_a_sum_that_is_none_or_negative(
    tmp_path: Path, halves: list[Branches]
) -> None:
    """A small job of a generator at next-to-leading order may have more negative weights."""
    files = [
        _write(tmp_path / f"{place}.root", "reco", half, {"CutBookkeeper_1_2_NOSYS": [5, total, 7]})
        for place, (half, total) in enumerate(zip(halves, (-10.0, 510.0), strict=True))
    ]
    (sample,) = _one_sample(tmp_path, files).manifest.samples
    assert sample.normalisation is not None
    assert sample.normalisation.sum_of_weights == 500
