import importlib
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from ntuples import Branches, write_ntuple
from other_formats import write_parquet
from rootflow.config.data import DileptonDataConfig
from rootflow.errors import InputError
from rootflow.ntuple import load_branch_map
from small_datasets import build, digest


@pytest.fixture(scope="module")
def files(branches: Branches, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    directory = tmp_path_factory.mktemp("files")
    halves = {
        "a.root": {name: array[:200] for name, array in branches.items()},
        "b.root": {name: array[200:] for name, array in branches.items()},
    }
    return [write_ntuple(directory / name, half) for name, half in halves.items()]


def _changed(config: DileptonDataConfig, **settings: Any) -> DileptonDataConfig:
    return DileptonDataConfig.model_validate({**config.model_dump(), **settings})


@pytest.mark.parametrize(
    "settings",
    [
        {"max_jets": 5},
        {"selection": {"jet_pt_min_gev": 30}},
        {"folds": {"count": 4}},
        {"folds": {"count": 2, "scheme": "parity"}},
        {"weights": {"negative": "keep", "cross_section_pb": 1, "luminosity_fb_inverse": 1}},
    ],
)
def test_what_changes_an_array_changes_the_digest(
    config: DileptonDataConfig, files: list[Path], settings: dict[str, Any]
) -> None:
    assert digest(_changed(config, **settings), {"ttbar": files}) != digest(
        config, {"ttbar": files}
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"folds": {"held_out": 3}},
        {"weights": {"negative": "drop"}},
        {"files": ["anything"]},
        {"copies": ["npz"]},
    ],
)
def test_what_changes_no_array_leaves_it(
    config: DileptonDataConfig, files: list[Path], settings: dict[str, Any]
) -> None:
    assert digest(_changed(config, **settings), {"ttbar": files}) == digest(
        config, {"ttbar": files}
    )


def test_the_content_of_files_counts_and_their_order_but_not_their_names(
    config: DileptonDataConfig, files: list[Path], tmp_path: Path
) -> None:
    moved = [Path(shutil.copy(path, tmp_path / f"moved_{path.name}")) for path in files]
    name = digest(config, {"ttbar": files})
    assert digest(config, {"ttbar": moved}) == name
    assert digest(config, {"ttbar": files[::-1]}) != name
    assert digest(config, {"ttbar": files[:1]}) != name
    content = bytearray(moved[0].read_bytes())
    content[-1] ^= 1
    moved[0].write_bytes(content)
    assert digest(config, {"ttbar": moved}) != name


def test_what_the_branch_map_says_counts_but_not_its_name(
    config: DileptonDataConfig, files: list[Path], tmp_path: Path
) -> None:
    settings = load_branch_map("topcptoolkit").model_dump(mode="json", exclude_none=True)
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(settings))
    mine = _changed(config, branch_map=str(path))
    assert digest(mine, {"ttbar": files}) == digest(config, {"ttbar": files})
    settings["jets"][0]["pt"]["branch"] = "jet_pt_corrected"
    path.write_text(yaml.safe_dump(settings))
    assert digest(mine, {"ttbar": files}) != digest(config, {"ttbar": files})


def test_another_version_of_datasets_is_another_name(
    config: DileptonDataConfig, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = digest(config, {"ttbar": files})
    module = importlib.import_module("rootflow.dataset.digest")
    monkeypatch.setattr(module, "DATASET_VERSION", 10_000)
    assert digest(config, {"ttbar": files}) != name


def test_other_code_is_another_name(
    config: DileptonDataConfig, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = digest(config, {"ttbar": files})
    module = importlib.import_module("rootflow.dataset.digest")
    monkeypatch.setattr(module, "dataset_code", lambda *_: "other")
    assert digest(config, {"ttbar": files}) != name


def test_the_same_content_twice_is_refused(
    config: DileptonDataConfig, files: list[Path], tmp_path: Path
) -> None:
    copy = Path(shutil.copy(files[0], tmp_path / "copy.root"))
    with pytest.raises(InputError, match=r"copy\.root: has the same content as .*a\.root"):
        digest(config, {"ttbar": [*files, copy]})


def test_skims_without_events_are_alike(
    config: DileptonDataConfig, branches: Branches, tmp_path: Path
) -> None:
    nothing = {name: array[:0] for name, array in branches.items()}
    skims = [write_parquet(tmp_path / f"{name}.parquet", nothing) for name in ("one", "two")]
    some = write_parquet(tmp_path / "some.parquet", branches)
    found = build(config, {"ttbar": [*skims, some]}, tmp_path / "datasets")
    assert [file.events_read for file in found.manifest.samples[0].files] == [0, 0, len(found)]


def test_a_file_that_is_not_there(config: DileptonDataConfig, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.root: cannot read it: No such file"):
        digest(config, {"ttbar": [tmp_path / "none.root"]})


def test_files_are_read_once_while_they_do_not_change(
    config: DileptonDataConfig, files: list[Path], tmp_path: Path
) -> None:
    copy = Path(shutil.copy(files[0], tmp_path / "copy.root"))
    memory = tmp_path / "datasets"
    name = digest(config, {"ttbar": [copy]}, memory)
    assert digest(config, {"ttbar": [copy]}, memory) == name == digest(config, {"ttbar": [copy]})
    status = copy.stat()
    content = bytearray(copy.read_bytes())
    content[-1] ^= 1
    copy.write_bytes(content)
    # Same size and same time of change: it is taken for the same, so it was not read.
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert digest(config, {"ttbar": [copy]}, memory) == name
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert digest(config, {"ttbar": [copy]}, memory) != name


def test_a_damaged_memory_is_made_anew(
    config: DileptonDataConfig, files: list[Path], tmp_path: Path
) -> None:
    name = digest(config, {"ttbar": files}, tmp_path)
    memory = tmp_path / "file-digests.json"
    memory.write_text(memory.read_text()[:40])
    assert digest(config, {"ttbar": files}, tmp_path) == name
    memory.unlink()
    assert digest(config, {"ttbar": files}, tmp_path) == name
