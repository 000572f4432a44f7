import json
import shutil
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
from click.testing import CliRunner

from four_lepton_ntuples import read_mini
from grown_trees import FOLDS, MAP, Model, grown, read
from ntuples import write_ntuple
from rootflow.commands.apply import apply
from rootflow.config.data import FourLeptonDataConfig, FourLeptonSelectionConfig
from rootflow.dataset import Dataset
from rootflow.dataset.event_reader import EventReader
from rootflow.dataset.folds import fold_of
from rootflow.dataset.readings.four_leptons import FourLeptons
from rootflow.errors import InputError, UsageError
from rootflow.formats.lineage import NOTE
from rootflow.inference.application import Setting
from rootflow.inference.files import apply_to_files
from rootflow.inference.plan import Copying
from small_datasets import build

READING = FourLeptons(selection=FourLeptonSelectionConfig())
READER = EventReader(READING, MAP)
NEW = ("trees_score", "trees_fold", "trees_selected")


@pytest.fixture(scope="module")
def model(h4l_files: dict[str, list[Path]], tmp_path_factory: pytest.TempPathFactory) -> Model:
    return grown(READING, h4l_files, tmp_path_factory.mktemp("export") / "trees")


def applied(
    model: Model,
    paths: list[Path],
    output: Path,
    name: str | None = None,
    dropped: tuple[str, ...] = (),
) -> ak.Array:
    apply_to_files(
        Setting((model.combined,), name=name),
        paths,
        output,
        origin={"file": "x", "sha256": "of x"},
        copying=Copying(dropped=dropped),
    )
    with uproot.open(output) as file:
        return file["mini"].arrays()


@pytest.mark.parametrize("published", [False, True])
def test_data_come_out_as_they_went_in(
    model: Model, collision_files: list[Path], open_data_file: Path, tmp_path: Path, published: bool
) -> None:
    files = [open_data_file] if published else collision_files
    out = applied(model, files, tmp_path / "out.root")
    assert len(out) == (39 if published else 832)
    before = ak.concatenate([uproot.open(path)["mini"].arrays() for path in files])
    for name in before.fields:
        assert ak.array_equal(ak.to_list(before[name]), ak.to_list(out[name])), name
        assert ak.type(before[name]) == ak.type(out[name]), name


def test_scores_are_those_of_the_models_that_have_not_seen_the_event(
    model: Model, collision_files: list[Path], tmp_path: Path
) -> None:
    out = applied(model, collision_files, tmp_path / "out.root")
    events, selected = zip(*(read(READER, path) for path in collision_files), strict=True)
    mask = np.concatenate(selected)
    wanted = np.concatenate([model.folded.answer(part) for part in events])
    said = ak.to_numpy(out["trees_score"])
    assert said.dtype == np.float32
    assert np.array_equal(ak.to_numpy(out["trees_selected"]), mask)
    assert 100 < mask.sum() < 832
    np.testing.assert_allclose(said[mask], wanted, atol=1e-6)
    assert np.isnan(said[~mask]).all()
    fold = fold_of(ak.to_numpy(out["eventNumber"]).astype(np.uint64), FOLDS).astype(int)
    assert np.array_equal(ak.to_numpy(out["trees_fold"]), np.where(mask, fold, -1))


def test_scores_tell_the_higgs_boson_from_its_background(
    model: Model, h4l_files: dict[str, list[Path]], tmp_path: Path
) -> None:
    unseen = [
        applied(model, h4l_files[name], tmp_path / f"{name}.root")["trees_score"]
        for name in ("ggH", "ZZ")
    ]
    signal, background = (np.nanmean(ak.to_numpy(score)) for score in unseen)
    assert signal > background + 0.2


def test_chunks_and_a_second_model_change_nothing(
    model: Model, collision_files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = collision_files[:1]
    whole = applied(model, few, tmp_path / "whole.root")
    monkeypatch.setattr("rootflow.inference.pieces.ENTRIES_AT_MOST", 10)
    monkeypatch.setattr("rootflow.formats.writing.PART_ENTRIES", 1)
    parts = applied(model, few, tmp_path / "parts.root")
    again = applied(model, [tmp_path / "parts.root"], tmp_path / "again.root", name="second")
    for name in whole.fields:
        for other in (parts, again):
            assert ak.array_equal(
                ak.to_list(whole[name]), ak.to_list(other[name]), equal_nan=True
            ), name
    assert np.array_equal(
        ak.to_numpy(again["second_score"]), ak.to_numpy(again["trees_score"]), equal_nan=True
    )
    assert set(again.fields) == {*whole.fields, "second_score", "second_fold", "second_selected"}


def test_the_output_says_whose_scores_it_holds(
    model: Model, collision_files: list[Path], tmp_path: Path
) -> None:
    applied(model, collision_files[:1], tmp_path / "out.root")
    with uproot.open(tmp_path / "out.root") as file:
        note = json.loads(file[NOTE])
        assert file["mini"].title == "with trees of x"
    assert note["run_id"] == "run-of-the-training"
    assert note["branches"] == list(NEW)


def test_an_output_is_no_input_beside_its_source(
    model: Model, collision_files: list[Path], tmp_path: Path
) -> None:
    source, other = (Path(shutil.copy(path, tmp_path / path.name)) for path in collision_files[:2])
    out, second, again = (tmp_path / name for name in ("out.root", "second.root", "again.root"))
    applied(model, [source], out)
    applied(model, [source], second, name="second")
    applied(model, [out], again, name="again")

    def dataset(*paths: Path) -> Dataset:
        samples = {"data": {"label": "data", "files": ["x"]}}
        weights = {"negative": "keep", "luminosity_fb_inverse": 10}
        config = FourLeptonDataConfig.model_validate({"samples": samples, "weights": weights})
        return build(config, {"data": paths}, tmp_path / "datasets")

    def refused(wrong: Path, says: str, *paths: Path) -> None:
        said = rf"{wrong}: rootflow apply wrote it from {says}: .* leave one of them out"
        with pytest.raises(InputError, match=said):
            dataset(*paths)
        with pytest.raises(InputError, match=said):
            applied(model, list(paths), tmp_path / "joined.root", name="joined")
        assert not (tmp_path / "joined.root").exists()

    refused(out, f"{source}, which is read, too", source, other, out)
    refused(again, f"{source}, which is read, too", again, source)
    refused(again, f"{out}, which is read, too", out, again)
    refused(second, f"{source}, as it did {out}", out, second)
    # A file stays who it is where it is moved to.
    moved = source.rename(tmp_path / "elsewhere.root")
    refused(out, f"{moved}, which is read, too", out, moved)
    # Alone it is an ntuple like any other.
    with_others = dataset(out, other).events()
    wanted = dataset(moved, other).events()
    np.testing.assert_array_equal(with_others.event, wanted.event)


def test_another_map_decides_the_same_folds(
    model: Model, h4l_files: dict[str, list[Path]], tmp_path: Path
) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("base: atlas_open_data\nfold_number: runNumber\n")

    def apply_to(setting: Setting) -> ak.Array:
        output = tmp_path / "out.root"
        apply_to_files(setting, h4l_files["VBFH"], output, origin={"sha256": "x"})
        return uproot.open(output)["mini"].arrays()

    with pytest.raises(UsageError, match=r"own\.yaml: .* names no fold_number, this one differs"):
        apply_to(Setting((model.combined,), branch_map=str(own)))
    out = apply_to(Setting((model.combined,), branch_map=str(own), seen_events="score"))
    fold = fold_of(ak.to_numpy(out["runNumber"]), FOLDS)
    selected = ak.to_numpy(out["trees_selected"])
    np.testing.assert_array_equal(ak.to_numpy(out["trees_fold"])[selected], fold[selected])


def test_negative_numbers_are_in_the_folds_that_they_are_in_everywhere(
    model: Model, h4l_files: dict[str, list[Path]], tmp_path: Path
) -> None:
    branches = read_mini(h4l_files["ZZ"][0], 200)
    numbers = (np.arange(200) - 150).astype(np.int32)
    path = write_ntuple(tmp_path / "in.root", {**branches, "eventNumber": numbers}, tree="mini")
    out = applied(model, [path], tmp_path / "out.root")
    assert ak.to_list(out["eventNumber"]) == numbers.tolist()
    assert str(ak.type(out["eventNumber"])).endswith("int32")
    selected = ak.to_numpy(out["trees_selected"])
    np.testing.assert_array_equal(
        ak.to_numpy(out["trees_fold"])[selected], fold_of(numbers, FOLDS)[selected]
    )
    with pytest.raises(InputError, match=r"in\.root: event -\d+ \(runNumber 284500, .*\) is in a"):
        apply_to_files(
            Setting((model.fold_paths[0],)), [path], tmp_path / "one.root", origin={"sha256": ""}
        )


def test_the_output_cannot_be_an_input(model: Model, collision_files: list[Path]) -> None:
    before = collision_files[0].read_bytes()
    with pytest.raises(UsageError, match="is read and cannot be written"):
        applied(model, collision_files, collision_files[0])
    assert collision_files[0].read_bytes() == before


def test_scores_that_are_there_already_are_not_overwritten(
    model: Model, collision_files: list[Path], tmp_path: Path
) -> None:
    applied(model, collision_files[:1], tmp_path / "one.root")
    with pytest.raises(UsageError, match="has a branch trees_fold already"):
        applied(model, [tmp_path / "one.root"], tmp_path / "two.root")
    out = applied(model, [tmp_path / "one.root"], tmp_path / "two.root", dropped=NEW)
    assert len(out) == len(applied(model, collision_files[:1], tmp_path / "three.root"))


def test_nothing_is_left_of_a_failure(
    model: Model, collision_files: list[Path], tmp_path: Path
) -> None:
    cut = tmp_path / "cut.root"
    cut.write_bytes(collision_files[0].read_bytes()[:-3000])
    with pytest.raises(InputError, match=r"cut\.root"):
        applied(model, [collision_files[1], cut], tmp_path / "out.root")
    assert [path.name for path in tmp_path.iterdir()] == ["cut.root"]


def test_files_with_other_branches_are_refused(
    model: Model, collision_files: list[Path], h4l_files: dict[str, list[Path]], tmp_path: Path
) -> None:
    paths = [collision_files[0], *h4l_files["VBFH"]]
    with pytest.raises(InputError, match=r"VBFH_s42_000\.root: other branches than in .*data_A"):
        applied(model, paths, tmp_path / "out.root")


def test_a_file_of_one_fold_scores_no_other(
    model: Model, h4l_files: dict[str, list[Path]], tmp_path: Path
) -> None:
    setting = Setting((model.fold_paths[0],))
    with pytest.raises(InputError, match=r"is in a fold that trees was trained on: .* of fold 0"):
        apply_to_files(setting, h4l_files["ZZ"], tmp_path / "out.root", origin={"sha256": ""})
    assert list(tmp_path.iterdir()) == []


def test_the_command(model: Model, collision_files: list[Path], tmp_path: Path) -> None:
    output = tmp_path / "out.root"
    arguments = ["--json", "--workers=1", "--model", model.combined, *collision_files, output]
    answer = CliRunner().invoke(apply, list(map(str, arguments)))
    assert answer.exit_code == 0, answer.output
    said = json.loads(answer.stdout)
    assert said["entries"] == 832
    assert said["branches"] == list(NEW)
    assert len(said["sha256"]) == 64
    assert output.is_file()


def test_the_command_needs_two_files(model: Model, collision_files: list[Path]) -> None:
    with pytest.raises(UsageError, match="last the one to write"):
        CliRunner().invoke(
            apply,
            ["--model", str(model.combined), str(collision_files[0])],
            catch_exceptions=False,
        )


def test_a_file_named_twice_is_refused(
    model: Model, collision_files: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="named twice"):
        applied(model, [collision_files[0]] * 2, tmp_path / "out.root")


def test_a_branch_to_drop_that_is_not_there_is_refused(
    model: Model, collision_files: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"--drop lep_ptt: .* near matches: lep_pt"):
        applied(model, collision_files[:1], tmp_path / "out.root", dropped=("lep_ptt",))


def test_several_files_may_come_as_one_word(
    model: Model, collision_files: list[Path], tmp_path: Path
) -> None:
    files = f"{collision_files[0]} {collision_files[1].parent}/data_B*.root"
    output = tmp_path / "out.root"
    answer = CliRunner().invoke(
        apply, ["--model", str(model.combined), "--workers=1", "--json", files, str(output)]
    )
    assert json.loads(answer.output.splitlines()[-1])["entries"] == 39 + 156


def test_the_files_of_all_folds_say_what_the_one_says(
    model: Model, collision_files: list[Path], tmp_path: Path
) -> None:
    whole = applied(model, collision_files[:2], tmp_path / "whole.root")
    folders = (tuple(model.fold_paths), (model.combined.parent,))
    for place, models in enumerate(folders):
        output = tmp_path / f"{place}.root"
        apply_to_files(Setting(models), collision_files[:2], output, origin={"sha256": str(place)})
        with uproot.open(output) as file:
            out = file["mini"].arrays()
        for name in NEW:
            said, wanted = ak.to_numpy(out[name]), ak.to_numpy(whole[name])
            np.testing.assert_allclose(said, wanted, atol=1e-6, err_msg=name)
