"""Friends: the new branches alone, for the entries of the input."""

import json
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
from click.testing import CliRunner

from ntuples import Branches, write_ntuple
from other_formats import FORMATS
from real_root import ask_root, read_by_root
from rootflow.commands.apply import apply
from rootflow.errors import InputError, UsageError
from rootflow.exported.folds import model_files
from rootflow.formats import open_table
from rootflow.formats.lineage import identity_of, refuse_beside_sources
from rootflow.formats.writing import SUFFIXES, Format
from rootflow.inference.application import Setting
from rootflow.inference.files import Applied, apply_to_files
from rootflow.inference.plan import Copying
from written_files import note_of, read_written

WRITTEN: list[Format] = ["ttree", "rntuple", "parquet"]


def applied(models: Path, paths: list[Path], output: Path, **copying: Any) -> Applied:
    setting = Setting(tuple(model_files([models])))
    return apply_to_files(
        setting, paths, output, origin={"sha256": "x"}, copying=Copying(**copying)
    )


@pytest.fixture(scope="module")
def whole(
    ttbar_folds: Path, ntuple: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ak.Array, tuple[str, ...]]:
    """Return what is written without --friend, and the names of the new branches."""
    output = tmp_path_factory.mktemp("whole") / "out.root"
    said = applied(ttbar_folds, [ntuple], output)
    return read_written(output, "ttree", "reco"), said.branches


@pytest.mark.parametrize("written", WRITTEN)
def test_a_friend_has_the_new_branches_and_says_which_event_it_is(
    ttbar_folds: Path,
    ntuple: Path,
    whole: tuple[ak.Array, tuple[str, ...]],
    tmp_path: Path,
    written: Format,
) -> None:
    output = tmp_path / f"friend{SUFFIXES[written]}"
    said = applied(ttbar_folds, [ntuple], output, friend=True, file_format=written)
    friend = read_written(output, written, "small")
    wanted, new = whole
    assert set(friend.fields) == {"eventNumber", *new}
    assert said.written == said.entries == len(wanted)
    for name in friend.fields:
        assert ak.array_equal(friend[name], wanted[name], equal_nan=True), name
    note = json.loads(note_of(output, "rootflow_apply"))
    assert note["friend_of"] == identity_of(ntuple)
    assert note["sources"] == {identity_of(ntuple): str(ntuple)}
    with pytest.raises(InputError, match="which is read, too: its events would count twice"):
        refuse_beside_sources([ntuple, output])


@pytest.mark.parametrize("read", ["TTree", "Parquet"])
def test_each_file_has_a_friend_of_its_own(
    ttbar_folds: Path,
    branches: Branches,
    whole: tuple[ak.Array, tuple[str, ...]],
    tmp_path: Path,
    read: str,
) -> None:
    form, ranges = FORMATS[read], (slice(0, 700), slice(700, None))
    paths = [
        form.write(
            tmp_path / f"{place}{form.suffix}",
            {key: array[part] for key, array in branches.items()},
        )
        for place, part in enumerate(ranges)
    ]
    with pytest.raises(UsageError, match="each file has a friend of its own: name a folder"):
        applied(ttbar_folds, paths, tmp_path / "out.root", friend=True)
    said = applied(ttbar_folds, paths, tmp_path / "friends", friend=True)
    assert said.outputs == tuple(tmp_path / "friends" / f"{place}.root" for place in range(2))
    for path, own, part in zip(paths, said.outputs, ranges, strict=True):
        friend = read_written(own, "ttree", "small")
        for name in friend.fields:
            assert ak.array_equal(friend[name], whole[0][name][part], equal_nan=True), name
        assert json.loads(note_of(own, "rootflow_apply"))["friend_of"] == identity_of(path)


def test_what_a_friend_cannot_have_is_refused(
    ttbar_folds: Path, ntuple: Path, tmp_path: Path
) -> None:
    for option, given in (
        ("--selected-only", {"selected_only": True}),
        ("--keep", {"kept": ("eventNumber",)}),
        ("--drop", {"dropped": ("eventNumber",)}),
    ):
        with pytest.raises(UsageError, match=f"all entries of its input, .* leave {option} out"):
            applied(ttbar_folds, [ntuple], tmp_path / "out.root", friend=True, **given)
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_a_friend_under_its_own_name(
    ttbar_folds: Path, ntuple: Path, tmp_path: Path
) -> None:
    output = tmp_path / "friend.root"
    fixed = ["--model", str(ttbar_folds), "--workers=1", str(ntuple), str(output)]
    answer = CliRunner().invoke(apply, ["--friend", "--name=my net", *fixed])
    assert answer.exit_code == 0, answer.output
    friend = read_written(output, "ttree", "my_net")
    assert {"eventNumber", "my_net_ttbar_mass"} <= set(friend.fields)
    copy = CliRunner().invoke(apply, ["--name=my net", *fixed])
    assert copy.exit_code == 0, copy.output  # another question: it is replaced
    assert len(read_written(output, "ttree", "reco")) == len(friend)


def test_root_and_rootflow_read_friends(
    ttbar_folds: Path,
    branches: Branches,
    whole: tuple[ak.Array, tuple[str, ...]],
    tmp_path: Path,
) -> None:
    wanted, new = whole
    path = write_ntuple(tmp_path / "in.root", branches)
    applied(ttbar_folds, [path], tmp_path / "friend.root", friend=True)
    ask_root("befriend", tmp_path, "in.root", "reco", "small", "friend.root")
    by_root = read_by_root(path, "reco")
    with open_table(path, "reco") as table:
        by_rootflow = table.read([*new, "small.eventNumber"], 0, table.entries)
    for name in new:
        for found in (ak.Array(by_root[f"small.{name}"]), by_rootflow[name]):
            np.testing.assert_array_equal(found, wanted[name], err_msg=name)
    for found in (by_root["small.eventNumber"], by_rootflow["small.eventNumber"]):
        np.testing.assert_array_equal(found, wanted["eventNumber"])


def test_a_friend_that_knows_its_input_is_drawn_as_one_tree(
    ttbar_folds: Path,
    branches: Branches,
    whole: tuple[ak.Array, tuple[str, ...]],
    tmp_path: Path,
) -> None:
    paths = [
        write_ntuple(tmp_path / f"{place}.root", {key: a[part] for key, a in branches.items()})
        for place, part in enumerate((slice(0, 700), slice(700, None)))
    ]
    applied(ttbar_folds, paths, tmp_path / "friends", friend=True)
    for path in paths:
        ask_root("befriend", tmp_path, f"friends/{path.name}", "small", "reco", str(path))
    weight = "(weight_mc_NOSYS)*(small_selected && met_met_NOSYS > 60e3)"
    files = [f"friends/{path.name}" for path in paths]
    drawn = json.loads(ask_root("drawn", tmp_path, "small", "small_probability", weight, *files))
    out, _ = whole
    chosen = ak.to_numpy(out["small_selected"] & (out["met_met_NOSYS"] > 60e3))
    values, weights = (
        ak.to_numpy(out[name])[chosen].astype(np.float64)
        for name in ("small_probability", "weight_mc_NOSYS")
    )
    assert chosen.sum() > 300
    counted, _ = np.histogram(values, np.linspace(0, 1, 21), weights=weights)
    np.testing.assert_allclose(drawn[1:-1], counted, rtol=1e-6)
