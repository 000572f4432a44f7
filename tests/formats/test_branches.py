"""What there is to copy of a table."""

from pathlib import Path

import numpy as np
import pytest
import uproot

from rootflow.errors import InputError, UsageError
from rootflow.formats import open_table
from rootflow.formats.branches import branches_of
from rootflow.formats.writing import Format


def test_globs_choose_branches(tree_file: Path) -> None:
    with open_table(tree_file, "t") as tree:
        assert branches_of(tree, ["f*", "x"], ["flag"]).names() == ["x", "fixed"]
        assert branches_of(tree, []).names() == []
        assert branches_of(tree, []).read(tree, 0, 2) == {}
        with pytest.raises(UsageError, match=r"--keep fixd: .* near matches: fixed"):
            branches_of(tree, ["fixd"])
        with pytest.raises(UsageError, match=r"--drop y\*: .* no such branch"):
            branches_of(tree, None, ["y*"])


@pytest.mark.parametrize("file_format", ["ttree", "rntuple", "parquet"])
def test_every_branch_that_cannot_be_written_is_named(tmp_path: Path, file_format: Format) -> None:
    path = tmp_path / "in.root"
    with uproot.recreate(path) as file:
        tree = file.mktree("t", {"x": "int32", "a": "string", "b": "string"})
        tree.extend({"x": np.arange(2, dtype=np.int32), "a": ["u", "v"], "b": ["u", "v"]})
    with open_table(path, "t") as found:
        with pytest.raises(InputError, match=r"branch 'a' is .*: .* --drop a --drop b$"):
            branches_of(found, file_format=file_format)
        assert branches_of(found, None, ["[ab]"], file_format).names() == ["x"]


@pytest.mark.parametrize("name", ["jet.pt", "jets/pt", "jet pt", "jet\\pt", "jet\tpt"])
def test_names_that_root_takes_in_no_rntuple_are_refused(tmp_path: Path, name: str) -> None:
    with uproot.recreate(tmp_path / "in.root") as file:
        file.mktree("t", {name: "int32", "x": "int32"})
    with open_table(tmp_path / "in.root", "t") as found:
        with pytest.raises(
            InputError, match=r"has a name that ROOT takes in no RNTuple: .*Parquet"
        ):
            branches_of(found, file_format="rntuple")
        for file_format in ("ttree", "parquet"):
            assert set(branches_of(found, file_format=file_format).names()) == {name, "x"}


def test_counters_are_branches_where_a_format_has_none_of_its_own(tree_file: Path) -> None:
    with open_table(tree_file, "t") as tree:
        assert "nlists" not in branches_of(tree).scalars
        assert branches_of(tree).lists == {"nlists": {"lists": "float32"}}
        for file_format in ("rntuple", "parquet"):
            assert branches_of(tree, file_format=file_format).scalars["nlists"] == "int32"
