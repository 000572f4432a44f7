"""Inputs of any format, and outputs of each: the same entries with the same answers."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import h5py
import numpy as np
import pyarrow as pa
import pytest
import uproot
from click.testing import CliRunner
from pyarrow import parquet

from four_lepton_ntuples import FLAT_SELECTION, flat_table, read_mini, write_csv, write_flat_root
from grown_trees import Model, grown
from ntuples import Branches, write_ntuple
from other_formats import FORMATS
from rootflow.commands.apply import apply
from rootflow.config.data import FourLeptonSelectionConfig
from rootflow.dataset.readings.four_leptons import FourLeptons
from rootflow.errors import InputError, UsageError
from rootflow.exported.folds import model_files
from rootflow.formats import open_table
from rootflow.formats.writing import SUFFIXES, Format, TableWriter
from rootflow.inference.application import Setting
from rootflow.inference.files import Applied, apply_to_files
from rootflow.inference.plan import Copying
from rootflow.ntuple import load_branch_map
from written_files import note_of, parts_of, read_written

WRITTEN: list[Format] = ["ttree", "rntuple", "parquet"]
# Those that are read with the map of the model.
LISTS = [name for name, form in FORMATS.items() if form.base == "topcptoolkit"]


def applied(models: Path, paths: list[Path], output: Path, **copying: Any) -> Applied:
    setting = Setting(tuple(model_files([models])))
    return apply_to_files(
        setting, paths, output, origin={"sha256": "x"}, copying=Copying(**copying)
    )


def same(one: ak.Array, other: ak.Array) -> bool:
    return bool(ak.array_equal(one, other, equal_nan=True))


@pytest.fixture(scope="module")
def wanted(
    ttbar_folds: Path, branches: Branches, tmp_path_factory: pytest.TempPathFactory
) -> ak.Array:
    folder = tmp_path_factory.mktemp("wanted")
    path = write_ntuple(folder / "in.root", branches)
    applied(ttbar_folds, [path], folder / "out.root")
    return read_written(folder / "out.root", "ttree", "reco")


@pytest.mark.parametrize("read", LISTS)
@pytest.mark.parametrize("written", WRITTEN)
def test_what_goes_in_comes_out_with_the_same_answers(
    ttbar_folds: Path,
    branches: Branches,
    wanted: ak.Array,
    tmp_path: Path,
    read: str,
    written: Format,
) -> None:
    form = FORMATS[read]
    path = form.write(tmp_path / f"in{form.suffix}", branches)
    said = applied(ttbar_folds, [path], tmp_path / f"out{SUFFIXES[written]}", file_format=written)
    out = read_written(said.outputs[0], written, "events" if read == "Parquet" else "reco")
    assert set(branches) | set(said.branches) <= set(out.fields)
    for name in [*branches, *said.branches]:
        assert str(ak.type(out[name])).replace("?", "") == str(ak.type(wanted[name])), name
        assert same(out[name], wanted[name]), name
    note = json.loads(note_of(said.outputs[0], "rootflow_apply"))
    assert list(note["sources"].values()) == [str(path)]
    assert note["written"] == len(branches["eventNumber"])


@pytest.mark.parametrize("read", [name for name in FORMATS if name not in LISTS])
@pytest.mark.parametrize("written", ["ttree", "parquet"])
def test_padded_arrays_come_out_with_the_same_answers(
    ttbar_folds: Path,
    branches: Branches,
    wanted: ak.Array,
    tmp_path: Path,
    read: str,
    written: Format,
) -> None:
    form = FORMATS[read]
    path = form.write(tmp_path / f"in{form.suffix}", branches)
    setting = Setting(
        tuple(model_files([ttbar_folds])), branch_map=form.branch_map(tmp_path), name="small"
    )
    copying = Copying(file_format=written)
    (output,) = apply_to_files(
        setting, [path], tmp_path / "out", origin={"sha256": "x"}, copying=copying
    ).outputs
    with open_table(path, load_branch_map(form.branch_map(tmp_path)).tree) as table:
        tree, before = table.name, table.read(table.names(), 0, table.entries)
    out = read_written(output, written, tree)
    for name, column in before.items():
        assert same(ak.to_regular(out[name], axis=None), column), name
    for name in ("b_index", "bbar_index", "fold", "selected"):
        np.testing.assert_array_equal(out[f"small_{name}"], wanted[f"small_{name}"], err_msg=name)
    for name, in_mev in (("probability", 1), ("ttbar_mass", 1000), ("neutrino_px", 1000)):
        np.testing.assert_allclose(
            out[f"small_{name}"] * in_mev, wanted[f"small_{name}"], rtol=1e-5, err_msg=name
        )


def write_flat_hdf5(path: Path, table: Mapping[str, Any]) -> Path:
    with h5py.File(path, "w") as file:
        for name, column in table.items():
            file[name] = column
    return path


def write_flat_parquet(path: Path, table: Mapping[str, Any]) -> Path:
    parquet.write_table(pa.table(dict(table)), path)
    return path


FLAT: dict[str, Callable[[Path, Mapping[str, Any]], Path]] = {
    "flat.root": write_flat_root,
    "flat.csv": write_csv,
    "flat.csv.bz2": write_csv,
    "flat.h5": write_flat_hdf5,
    "flat.parquet": write_flat_parquet,
}


@pytest.fixture(scope="module")
def flat_model(h4l_files: dict[str, list[Path]], tmp_path_factory: pytest.TempPathFactory) -> Model:
    reading = FourLeptons(selection=FourLeptonSelectionConfig.model_validate(FLAT_SELECTION))
    return grown(reading, h4l_files, tmp_path_factory.mktemp("export") / "trees")


@pytest.mark.parametrize("written", WRITTEN)
def test_tables_of_numbers_come_out_with_the_same_answers(
    flat_model: Model, h4l_files: dict[str, list[Path]], tmp_path: Path, written: Format
) -> None:
    table = flat_table(read_mini(h4l_files["VBFH"][0]))
    # Beyond what float64 tells apart: integers are read as such.
    table["eventNumber"] = table["eventNumber"] + 2**60
    paths = [write(tmp_path / name, table) for name, write in FLAT.items()]
    folders = [tmp_path / path.name.replace(".", "-") for path in paths]
    outs = []
    for path, folder in zip(paths, folders, strict=True):
        (output,) = apply_to_files(
            Setting((flat_model.combined,), branch_map="flat_four_leptons"),
            [path],
            folder,
            origin={"sha256": "x"},
            copying=Copying(file_format=written),
        ).outputs
        assert output == folder / f"flat{SUFFIXES[written]}"
        outs.append(read_written(output, written, "events"))
    for out in outs:
        np.testing.assert_array_equal(out["eventNumber"], table["eventNumber"])
        for name in ("trees_score", "trees_fold", "trees_selected", "lep1_pt"):
            assert same(out[name], outs[0][name]), name
    assert np.isfinite(ak.to_numpy(outs[0]["trees_score"])).sum() > 50


@pytest.mark.parametrize("written", WRITTEN)
def test_only_selected_entries_of_several_files(
    ttbar_folds: Path, branches: Branches, wanted: ak.Array, tmp_path: Path, written: Format
) -> None:
    paths = [
        write_ntuple(tmp_path / name, {key: array[part] for key, array in branches.items()})
        for name, part in (("a.root", slice(0, 700)), ("b.root", slice(700, None)))
    ]
    said = applied(
        ttbar_folds,
        paths,
        tmp_path / f"out{SUFFIXES[written]}",
        kept=("eventNumber", "jet_*"),
        dropped=("jet_e*",),
        selected_only=True,
        file_format=written,
    )
    out = read_written(said.outputs[0], written, "reco")
    selected = ak.to_numpy(wanted["small_selected"])
    assert len(out) == said.written == said.selected == selected.sum()
    assert set(out.fields) - {"njet_pt_NOSYS", "njet_phi"} >= {"eventNumber", "jet_phi"}
    assert not {"jet_eta", "met_phi_NOSYS"} & set(out.fields)
    for name in ("eventNumber", "jet_phi", *said.branches):
        assert same(out[name], wanted[name][selected]), name


def test_memory_is_that_of_a_part(
    ttbar_folds: Path, ntuple: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rootflow.inference.pieces.ENTRIES_AT_MOST", 100)
    monkeypatch.setattr("rootflow.formats.writing.PART_ENTRIES", 400)
    monkeypatch.setattr(TableWriter, "part_bytes", 1)
    for written in WRITTEN:
        output = tmp_path / f"{written}{SUFFIXES[written]}"
        applied(ttbar_folds, [ntuple], output, file_format=written)
        assert parts_of(output, written, "reco") == [400, 400, 400, 300]


def test_the_name_of_the_output_says_the_format(
    ttbar_folds: Path, ntuple: Path, tmp_path: Path
) -> None:
    def command(*options: str) -> str:
        fixed = ["--model", str(ttbar_folds), "--workers=1", "--keep=eventNumber", str(ntuple)]
        answer = CliRunner().invoke(apply, [*options[:-1], *fixed, str(tmp_path / options[-1])])
        if isinstance(answer.exception, UsageError):
            return str(answer.exception)
        assert answer.exit_code == 0, answer.output
        return ""

    assert command("one.root") == command("--format=auto", "two.parquet") == ""
    assert command("--format=rntuple", "three.root") == ""
    assert command("folder") == command("--format=parquet", "folder") == ""
    assert len(read_written(tmp_path / "one.root", "ttree", "reco")) == 1500
    assert len(read_written(tmp_path / "two.parquet", "parquet", "")) == 1500
    assert len(read_written(tmp_path / "three.root", "rntuple", "reco")) == 1500
    assert len(read_written(tmp_path / "folder" / "small.root", "ttree", "reco")) == 1500
    assert len(read_written(tmp_path / "folder" / "small.parquet", "parquet", "")) == 1500
    assert "--format parquet: " in command("--format=parquet", "four.root")
    assert "such a file ends in .root" in command("--format=ttree", "four.parquet")
    for name in ("four.h5", "four.csv", "four.csv.gz", "four.pq"):
        assert "files that end so are read and not written" in command(name)
    assert not list(tmp_path.glob("four*"))


def test_another_format_is_another_question(
    ttbar_folds: Path, ntuple: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.root"
    applied(ttbar_folds, [ntuple], output, kept=("eventNumber",))
    applied(ttbar_folds, [ntuple], output, kept=("eventNumber",), file_format="rntuple")
    assert len(read_written(output, "rntuple", "reco")) == 1500


@pytest.mark.parametrize("written", WRITTEN)
def test_only_its_own_outputs_are_replaced(
    ttbar_folds: Path, ntuple: Path, tmp_path: Path, written: Format
) -> None:
    output = tmp_path / f"out{SUFFIXES[written]}"
    FORMATS["Parquet" if written == "parquet" else "RNTuple"].write(output, {"x": np.arange(3)})
    before = output.read_bytes()
    with pytest.raises(UsageError, match="not written by rootflow apply: name another"):
        applied(ttbar_folds, [ntuple], output, file_format=written)
    assert output.read_bytes() == before
    output.unlink()
    applied(ttbar_folds, [ntuple], output, file_format=written)
    applied(ttbar_folds, [ntuple], output, kept=("eventNumber",), file_format=written)
    assert "jet_eta" not in read_written(output, written, "reco").fields


@pytest.mark.parametrize("written", WRITTEN)
def test_what_cannot_be_written_is_named(
    ttbar_folds: Path, branches: Branches, tmp_path: Path, written: Format
) -> None:
    few = {name: array[:20] for name, array in branches.items()}
    with uproot.recreate(tmp_path / "in.root") as file:
        file["reco"] = few | {"tag": ["a"] * 20, "hits": ak.Array([[[1], [2, 3]]] * 20)}
    for output in (tmp_path / f"out{SUFFIXES[written]}", tmp_path / "out"):
        with pytest.raises(InputError, match=r"leave it out with --drop hits --drop tag$"):
            applied(ttbar_folds, [tmp_path / "in.root"], output, file_format=written)
        said = applied(
            ttbar_folds,
            [tmp_path / "in.root"],
            output,
            dropped=("tag", "hits"),
            file_format=written,
        )
        out = read_written(said.outputs[0], written, "reco")
        assert len(out) == 20
        assert not {"tag", "hits"} & set(out.fields)


def test_inputs_whose_outputs_would_have_one_name_are_refused(
    ttbar_folds: Path, ntuple: Path, branches: Branches, tmp_path: Path
) -> None:
    other = FORMATS["Parquet"].write(tmp_path / f"{ntuple.stem}.parquet", branches)
    with pytest.raises(UsageError, match="several of the files have the same name"):
        applied(ttbar_folds, [ntuple, other], tmp_path / "out")
