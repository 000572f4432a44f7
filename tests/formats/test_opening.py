from pathlib import Path

import pytest

from ntuples import Branches, write_ntuple
from rootflow.errors import InputError
from rootflow.formats import find_files
from rootflow.ntuple import load_branch_map, read_chunks


def _read(path: Path) -> int:
    return sum(len(chunk) for chunk in read_chunks(path, load_branch_map("topcptoolkit")))


def _refused(path: Path, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        _read(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def test_paths_and_globs_keep_their_order_and_each_file_is_found_once(tmp_path: Path) -> None:
    for name in ("b.root", "a.root", "c[1].root"):
        (tmp_path / name).touch()
    patterns = [str(tmp_path / "c[1].root"), str(tmp_path / "*.root")]
    assert [path.name for path in find_files(patterns)] == ["c[1].root", "a.root", "b.root"]


def test_brackets_of_a_folder_are_no_glob_where_it_is_there(tmp_path: Path) -> None:
    for folder in ("run[12]", "run1"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.root").touch()
    assert find_files([f"{tmp_path}/run[12]/*.root"]) == [tmp_path / "run[12]" / "a.root"]
    assert find_files([f"{tmp_path}/run[13]/*.root"]) == [tmp_path / "run1" / "a.root"]


def test_a_tree_after_the_file_is_told_where_it_belongs(tmp_path: Path) -> None:
    (tmp_path / "a.root").touch()
    with pytest.raises(InputError, match=r"a\.root:reco' names a tree, too: .* 'tree: reco'"):
        find_files([f"{tmp_path}/a.root:reco"])


def test_a_relative_glob_is_seen_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "a.root").touch()
    monkeypatch.chdir(tmp_path)
    assert find_files(["deep/**/*.root"]) == [Path("deep/er/a.root")]


def test_a_glob_that_matches_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.root").touch()
    with pytest.raises(InputError, match=r"'.*none\*\.root' matches no file"):
        find_files([str(tmp_path / "a.root"), str(tmp_path / "none*.root")])


def test_no_pattern_is_an_error() -> None:
    with pytest.raises(InputError, match=r"data\.files: no file is named"):
        find_files([])


def test_a_missing_file(tmp_path: Path) -> None:
    _refused(tmp_path / "none.root", "no such file")


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.root"
    path.touch()
    _refused(path, "the file is empty")


@pytest.mark.parametrize("content", [b"not ROOT at all, but long enough " * 50, b"root", b"PK\x03"])
def test_a_file_that_is_not_root(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "text.root"
    path.write_bytes(content)
    _refused(path, "not a whole ROOT file")


@pytest.mark.parametrize("share", [0.001, 0.01, 0.3, 0.6, 0.9, 0.999])
def test_a_truncated_file(tmp_path: Path, ttbar_files: list[Path], share: float) -> None:
    content = ttbar_files[0].read_bytes()
    path = tmp_path / "truncated.root"
    path.write_bytes(content[: int(share * len(content))])
    _refused(path, "not a whole ROOT file; it may be truncated")


def test_bytes_that_were_overwritten(tmp_path: Path, branches: Branches) -> None:
    path = write_ntuple(tmp_path / "damaged.root", branches)
    content = bytearray(path.read_bytes())
    quarter = len(content) // 4
    content[quarter : 2 * quarter] = bytes(quarter)
    path.write_bytes(content)
    _refused(path, "not a whole ROOT file")


def test_a_missing_tree_names_those_there_are(tmp_path: Path, branches: Branches) -> None:
    path = write_ntuple(tmp_path / "other.root", branches, tree="nominal")
    _refused(path, "no tree 'reco'; trees in it: nominal")


def test_a_missing_branch_gets_near_matches(tmp_path: Path, branches: Branches) -> None:
    renamed = dict(branches)
    renamed["jet_pt_NOSYS_v2"] = renamed.pop("jet_pt_NOSYS")
    path = write_ntuple(tmp_path / "renamed.root", renamed)
    _refused(path, r"no branch 'jet_pt_NOSYS'; near matches: .*jet_pt_NOSYS_v2")


def test_a_tree_without_events_is_read(tmp_path: Path, branches: Branches) -> None:
    path = write_ntuple(tmp_path / "none.root", {name: a[:0] for name, a in branches.items()})
    assert _read(path) == 0


def test_the_setting_that_names_the_files_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^data\.samples\.ZZ\.files: '.*' matches no file"):
        find_files([str(tmp_path / "none.root")], "data.samples.ZZ.files")


def test_a_file_without_its_last_bytes(tmp_path: Path, ttbar_files: list[Path]) -> None:
    content = ttbar_files[0].read_bytes()
    path = tmp_path / "short.root"
    path.write_bytes(content[:-200])
    _refused(path, "it may be truncated")
