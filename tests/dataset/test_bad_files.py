"""Files that cannot be read: named all at once, or left out as a whole and told."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from four_lepton_ntuples import read_mini
from ntuples import Branches, write_ntuple
from rootflow.config.data import DileptonDataConfig, FourLeptonDataConfig
from rootflow.dataset import Dataset, sharing
from rootflow.errors import InputError
from small_datasets import build, digest

EVENTS = 100


def _config(bad_files: str = "skip", **more: Any) -> DileptonDataConfig:
    settings = {"bad_files": bad_files, "weights": {"negative": "keep"}} | more
    return DileptonDataConfig.model_validate(settings)


def _scaled(bad_files: str = "skip", **more: Any) -> DileptonDataConfig:
    samples = {"ttbar": {"files": ["*"], "cross_section_pb": 88.3}}
    weights = {"negative": "keep", "luminosity_fb_inverse": 140}
    return _config(bad_files, samples=samples, weights=weights, **more)


def _with_histogram(path: Path, total: float, name: str = "CutBookkeeper_1_2_NOSYS") -> Path:
    with uproot.update(path) if path.exists() else uproot.recreate(path) as file:
        file[name] = np.array([9, total, 1.0]), np.arange(4.0)
    return path


def _damage(path: Path) -> None:
    """Overwrite the end of a basket, which is seen only when it is read."""
    with uproot.open(path) as file:
        (begin, *_) = file["reco/jet_pt_NOSYS"].member("fBasketSeek")
        size = file["reco/jet_pt_NOSYS"].basket(0).compressed_bytes
    content = bytearray(path.read_bytes())
    content[begin + 100 : begin + size] = bytes(size - 100)
    path.write_bytes(content)


@pytest.fixture
def good(tmp_path: Path, branches: Branches) -> list[Path]:
    """Return three files of 100 events, whose jobs had sums of weights of 1, 2 and 4."""
    files = []
    for place in range(3):
        part = slice(EVENTS * place, EVENTS * (place + 1))
        events = {name: array[part] for name, array in branches.items()}
        path = write_ntuple(tmp_path / f"good_{place}.root", events)
        files.append(_with_histogram(path, 2.0**place))
    return files


@pytest.fixture
def bad(tmp_path: Path, branches: Branches, good: list[Path]) -> dict[Path, str]:
    """Return files of each kind of bad, and what is said of them."""
    some = {name: array[300:400] for name, array in branches.items()}
    content = good[0].read_bytes()
    empty, cut, text, half = (tmp_path / f"{name}.root" for name in ("empty", "cut", "text", "2"))
    empty.touch()
    cut.write_bytes(content[: len(content) // 2])
    text.write_bytes(b"Job killed: no space left on device\n" * 20)
    half.write_bytes(content[:200])
    without = {name: array for name, array in some.items() if name != "jet_eta"}
    folder = tmp_path / "folder.root"
    folder.mkdir()
    return {
        empty: "the file is empty",
        cut: "not a whole ROOT file; it may be truncated",
        text: "not a whole ROOT file; it may be truncated, damaged or of another format",
        half: "not a whole ROOT file",
        write_ntuple(tmp_path / "branch.root", without): "tree 'reco' has no branch 'jet_eta'",
        write_ntuple(tmp_path / "other.root", some, "nominal"): "no tree 'reco'; trees in it: nom",
        folder: "it is a folder, not a file",
        tmp_path / "gone.root": "there is no such file",
    }


def _arrays(dataset: Dataset) -> Mapping[str, str]:
    return {name: array.sha256 for name, array in dataset.manifest.arrays.items()}


def test_all_bad_files_are_named_before_anything_is_written(
    tmp_path: Path, good: list[Path], bad: dict[Path, str]
) -> None:
    files = {"ttbar": [good[0], *bad, *good[1:]]}
    with pytest.raises(InputError, match=r"^8 of 11 files cannot be read") as error:
        build(_config("refuse"), files, tmp_path / "out")
    said = str(error.value)
    assert "data.bad_files=skip leaves them out" in said
    places = [said.index(f"{path}: {reason}") for path, reason in bad.items()]
    assert places == sorted(places)
    assert "\n" not in said
    assert not (tmp_path / "out").exists()
    # The default refuses.
    with pytest.raises(InputError, match=r"^8 of 11 files cannot be read"):
        build(DileptonDataConfig.model_validate({"weights": {"negative": "keep"}}), files, tmp_path)


def test_one_bad_file_is_told_as_it_is(tmp_path: Path, good: list[Path]) -> None:
    empty = tmp_path / "empty.root"
    empty.touch()
    with pytest.raises(InputError, match=r"^/.*/empty\.root: the file is empty$"):
        build(_config("refuse"), {"ttbar": [*good, empty]}, tmp_path / "out")


def test_of_many_bad_files_some_are_named(tmp_path: Path, good: list[Path]) -> None:
    empty = [tmp_path / f"empty_{place}.root" for place in range(30)]
    for path in empty:
        path.touch()
    with pytest.raises(
        InputError, match=r"^30 of 33 files .*_19\.root: the file is empty; and 10 m"
    ):
        build(_config("refuse"), {"ttbar": [*good, *empty]}, tmp_path / "out")


def test_skipped_files_make_no_difference_but_in_the_manifest(
    tmp_path: Path, good: list[Path], bad: dict[Path, str]
) -> None:
    alone = build(_scaled(), {"ttbar": good}, tmp_path / "alone")
    mixed = {"ttbar": [good[0], *bad, *good[1:]]}
    among = build(_scaled(), mixed, tmp_path / "among")
    assert among.manifest.digest == alone.manifest.digest == digest(_scaled(), mixed)
    assert among.manifest.digest == digest(_scaled("refuse"), {"ttbar": good})
    assert among.manifest.digest != digest(_scaled(), {"ttbar": good[:2]})
    assert _arrays(among) == _arrays(alone)
    (one,), (other,) = alone.manifest.samples, among.manifest.samples
    assert one == other.model_copy(update={"skipped_files": ()})
    assert one.normalisation is not None
    assert one.normalisation.sum_of_weights == 7  # not those of what is skipped
    skipped = {file.path: file.reason for file in other.skipped_files}
    assert [*skipped] == [str(path) for path in bad]
    for path, reason in bad.items():
        assert skipped[str(path)].startswith(reason)


def test_what_is_skipped_is_told_of_a_dataset_that_is_there(
    tmp_path: Path, good: list[Path], bad: dict[Path, str]
) -> None:
    folder = tmp_path / "out"
    for files, skipped in (([*good], 0), ([*good, *bad], len(bad)), ([*good], 0)):
        dataset = build(_config(), {"ttbar": files}, folder)
        (sample,) = dataset.manifest.samples
        assert len(sample.skipped_files) == skipped
        assert dataset.events().weight.shape == (sample.events,)
    assert len([path for path in folder.iterdir() if path.is_dir()]) == 1


def test_a_file_that_is_mended_is_read(tmp_path: Path, good: list[Path]) -> None:
    path = tmp_path / "later.root"
    shutil.copy(good[2], path)
    os.truncate(path, 1000)
    before = build(_config(), {"ttbar": [*good[:2], path]}, tmp_path / "out").manifest
    shutil.copy(good[2], path)
    after = build(_config(), {"ttbar": [*good[:2], path]}, tmp_path / "out").manifest
    assert [len(manifest.samples[0].files) for manifest in (before, after)] == [2, 3]
    assert before.digest != after.digest


def test_a_sample_of_bad_files_alone_is_an_error(tmp_path: Path, bad: dict[Path, str]) -> None:
    with pytest.raises(
        InputError, match=r"the file is empty; nor can the 7 other files of sample ttbar be read"
    ):
        build(_config(), {"ttbar": list(bad)}, tmp_path / "out")


@pytest.mark.parametrize(("bad_files", "total"), [("refuse", 100.0), ("skip", -1.0)])
def test_a_whole_file_without_the_tree_is_of_a_job_that_selected_no_event(
    tmp_path: Path, good: list[Path], bad_files: str, total: float
) -> None:
    nothing = _with_histogram(tmp_path / "nothing.root", total)
    (sample,) = build(
        _scaled(bad_files), {"ttbar": [good[0], nothing, good[1]]}, tmp_path / "out"
    ).manifest.samples
    assert sample.normalisation is not None
    assert sample.normalisation.sum_of_weights == 3 + total
    assert [(file.events_read, file.has_tree) for file in sample.files] == [
        (EVENTS, True),
        (0, False),
        (EVENTS, True),
    ]
    assert sample.skipped_files == ()
    # It is part of the dataset: without it there is another sum of weights.
    files = {"ttbar": good[:2]}
    assert digest(_scaled(), files) != digest(_scaled(), {"ttbar": [*good[:2], nothing]})


def test_which_files_without_the_tree_are_of_no_events(
    tmp_path: Path, h4l_files: dict[str, list[Path]]
) -> None:
    """Where the map says no sum beside the events, another object tells, unless it is a tree."""
    mini = read_mini(h4l_files["ZZ"][0], 200)
    good = write_ntuple(tmp_path / "good.root", mini, "mini")
    cutflow = _with_histogram(tmp_path / "cutflow.root", 1.0, "cutflow")
    nothing = tmp_path / "nothing.root"
    uproot.recreate(nothing).close()
    other = _with_histogram(write_ntuple(tmp_path / "other.root", mini, "nominal"), 1, "cutflow")
    config = {
        "samples": {
            "ZZ": {"label": "background", "cross_section_pb": 1.0},
        },
        "weights": {"negative": "keep", "luminosity_fb_inverse": 10, "sum_of_weights": "as_read"},
        "bad_files": "skip",
    }
    (sample,) = build(
        FourLeptonDataConfig.model_validate(config),
        {"ZZ": [good, cutflow, nothing, other]},
        tmp_path / "out",
    ).manifest.samples
    assert [Path(file.path).name for file in sample.files] == ["good.root", "cutflow.root"]
    assert [Path(file.path).name for file in sample.skipped_files] == ["nothing.root", "other.root"]
    assert sample.skipped_files[0].reason == "no tree 'mini'; there is no tree in it"


@pytest.mark.parametrize("bad_files", ["refuse", "skip"])
def test_a_tree_that_no_file_has_is_an_error(tmp_path: Path, bad_files: str) -> None:
    files = [_with_histogram(tmp_path / f"{place}.root", 1.0 + place) for place in range(3)]
    with pytest.raises(
        InputError, match=r"0\.root: no tree 'reco'; .*; nor can the 2 other files of sample ttbar"
    ):
        build(_scaled(bad_files), {"ttbar": files}, tmp_path / "out")


def test_a_tree_without_branches_has_no_events(tmp_path: Path, good: list[Path]) -> None:
    """As of a job whose branches are made with its first event."""
    from real_root import ask_root

    ask_root("without_branches", tmp_path, "none.root", "reco")
    (sample,) = build(
        _config(), {"ttbar": [tmp_path / "none.root", good[0]]}, tmp_path / "out"
    ).manifest.samples
    assert [file.events_read for file in sample.files] == [0, EVENTS]


@pytest.mark.parametrize("bad_files", ["refuse", "skip"])
def test_damage_that_shows_only_while_reading_is_an_error(
    tmp_path: Path, good: list[Path], bad_files: str
) -> None:
    _damage(good[1])
    with pytest.raises(InputError, match=r"good_1\.root: not a whole ROOT file") as error:
        build(_config(bad_files), {"ttbar": good}, tmp_path / "out")
    assert ("leave it out of the files" in str(error.value)) == (bad_files == "skip")
    assert not list((tmp_path / "out").glob("*/manifest.json"))


def test_friends_in_other_files_are_part_of_the_question(
    tmp_path: Path, branches: Branches
) -> None:
    from real_root import ask_root

    write_ntuple(tmp_path / "uproot.root", branches)
    ask_root("again", tmp_path, "uproot.root", "reco")
    files = {"ttbar": [tmp_path / "half.root"]}
    before = digest(_config(), files)
    (sample,) = build(_config(), files, tmp_path / "out").manifest.samples
    assert [file.friends for file in sample.files] == [(str(tmp_path / "rest.root"),)]
    changed = {name: array[:] for name, array in branches.items()}
    changed["weight_mc_NOSYS"] = changed["weight_mc_NOSYS"] * 2
    write_ntuple(tmp_path / "uproot.root", changed)
    half = (tmp_path / "half.root").read_bytes()
    ask_root("again", tmp_path, "uproot.root", "reco")
    (tmp_path / "half.root").write_bytes(half)
    assert digest(_config(), files) != before


def test_any_number_of_processes_leaves_out_the_same(
    tmp_path: Path, good: list[Path], bad: dict[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "BYTES_WORTH_A_PROCESS", 1)
    nothing = _with_histogram(tmp_path / "nothing.root", 100.0)
    files = {"ttbar": [nothing, good[0], *bad, *good[1:]]}
    one, two = (
        build(_scaled(workers=workers), files, tmp_path / str(workers)) for workers in (1, 2)
    )
    assert one.manifest == two.manifest
    assert one.manifest.samples[0].normalisation is not None
    assert one.manifest.samples[0].normalisation.sum_of_weights == 107
    _damage(good[1])
    with pytest.raises(InputError, match=r"good_1\.root: not a whole .* leave it out of the files"):
        build(_scaled(workers=2), files, tmp_path / "2")


@pytest.mark.parametrize("said", ["a number", "per_sample"])
def test_nothing_is_left_out_of_a_sample_that_is_scaled_as_a_whole(
    tmp_path: Path, h4l_files: dict[str, list[Path]], said: str
) -> None:
    """Its sum counts the events of the file that is left out: all yields would be too small."""
    mini = read_mini(h4l_files["ZZ"][0], 200)
    good = write_ntuple(tmp_path / "good.root", mini, "mini")
    (tmp_path / "empty.root").touch()
    weights = {"negative": "keep", "luminosity_fb_inverse": 10, "sum_of_weights": "per_sample"}
    sample: dict[str, Any] = {"label": "background", "cross_section_pb": 1.0}
    if said == "a number":
        weights["sum_of_weights"] = None
        sample["sum_of_weights"] = 1e4
    config = FourLeptonDataConfig.model_validate(
        {"samples": {"ZZ": sample}, "weights": weights, "bad_files": "skip"}
    )
    with pytest.raises(InputError, match=r"of its 2 files 1 would be left out \(.*empty\.root"):
        build(config, {"ZZ": [good, tmp_path / "empty.root"]}, tmp_path / "out")
    assert len(build(config, {"ZZ": [good]}, tmp_path / "out")) > 0
