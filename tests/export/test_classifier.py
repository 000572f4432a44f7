import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from exporting import about_h4l, exported_classifiers
from rootflow.analyses.h4l import INPUTS
from rootflow.config import FoldingConfig
from rootflow.config.data import FourLeptonSelectionConfig
from rootflow.config.export import ExportConfig
from rootflow.dataset import Events
from rootflow.dataset.folds import fold_of
from rootflow.errors import RootflowError, UsageError
from rootflow.export.conversion import convert
from rootflow.export.preparation import prepare, prepare_all_folds
from rootflow.export.trees import convert_trees
from rootflow.export.writing import Export
from rootflow.exported.folds import FoldsTable
from rootflow.exported.session import open_session
from rootflow.methods.conformance import check_method
from rootflow.methods.exported import OnnxMethod
from rootflow.models.classifier_inputs import in_a_row
from rootflow.ntuple import entries_of
from rootflow.training.trees import TreesModel
from runtimes import batches, hold_in_every_onnxruntime
from small_classifier import small_classifier
from toy_four_leptons import h4l_inputs, toy_four_leptons

FOLDS = FoldingConfig(count=3)


@pytest.fixture(scope="module")
def events() -> Events:
    return toy_four_leptons(1500, seed=4, folds=FOLDS)


def some_trees(events: Events, held_out: int) -> TreesModel:
    training = events.take(events.fold != held_out)
    trees = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=15, random_state=1)
    rows = in_a_row(training.inputs(), h4l_inputs())
    return TreesModel(h4l_inputs(), trees.fit(rows, training.label))


def exported(
    events: Events, models: list[Any], directory: Path, config: ExportConfig | None = None
) -> list[Export]:
    selection = FourLeptonSelectionConfig(pair_mass_min_gev=6.0).model_dump(mode="json")
    about = about_h4l(FOLDS, uses=INPUTS, selection=selection)
    return exported_classifiers(models, events, about, directory, config)


@pytest.fixture(scope="module")
def networks(events: Events, tmp_path_factory: pytest.TempPathFactory) -> list[Export]:
    models = [small_classifier(seed) for seed in range(3)]
    return exported(events, models, tmp_path_factory.mktemp("networks") / "export")


@pytest.fixture(scope="module")
def trees(events: Events, tmp_path_factory: pytest.TempPathFactory) -> list[Export]:
    models = [some_trees(events, fold) for fold in range(3)]
    return exported(events, models, tmp_path_factory.mktemp("trees") / "export")


@pytest.fixture(params=["networks", "trees"])
def each(request: pytest.FixtureRequest) -> list[Export]:
    answer: list[Export] = request.getfixturevalue(request.param)
    return answer


def test_there_is_a_file_for_each_fold_and_one_of_all(each: list[Export]) -> None:
    *of_folds, whole = each
    folder = whole.named_path.parent
    assert {path.name for path in folder.iterdir()} == {
        "h4l_toy_applied_to_fold0of3.onnx", "h4l_toy_applied_to_fold1of3.onnx",
        "h4l_toy_applied_to_fold2of3.onnx", "h4l_toy_all_folds.onnx", "folds.json",
    }  # fmt: skip
    assert {path for one in each for path in one.paths} == set(folder.iterdir())
    table = json.loads(each[0].table_path.read_text())
    assert table["folds"] == {str(fold): of_folds[fold].named_path.name for fold in range(3)}
    assert table["all_folds"] == whole.named_path.name
    assert table["parity"] == [row for one in each for row in one.parity]


def test_every_file_is_proven(each: list[Export]) -> None:
    rows = [row for one in each for row in one.parity]
    proven = {(row["file"], row["sample"], row["batch_size"]) for row in rows}
    files = [one.named_path.name for one in each]
    assert proven == {
        (file, kind, size)
        for file in files
        for kind in ("real events", "extreme events")
        for size in (0, 1, 2, 7, 1000)
    }
    assert max(row["score"] for row in rows) <= 1e-6
    assert all(row["events"] >= 1000 for row in rows if row["batch_size"] == 1000)


def test_files_hold_in_every_onnxruntime(each: list[Export], events: Events) -> None:
    arrays = {**events.inputs(), "fold": events.fold.astype(np.int64)}
    files, feeds = {}, {}
    for path in (each[0].named_path, each[-1].named_path):
        files[path.stem] = path.read_bytes()
        taken = [tensor.name for tensor in open_session(path).get_inputs()]
        feeds[path.stem] = batches({name: arrays[name] for name in taken})
    hold_in_every_onnxruntime(files, feeds)


def test_files_are_valid_onnx(each: list[Export]) -> None:
    for path in (one.named_path for one in each):
        onnx.checker.check_model(onnx.load(path), full_check=True)


def test_the_contract_is_of_the_tensors_in_the_file(each: list[Export]) -> None:
    types = {"float32": "tensor(float)", "int64": "tensor(int64)"}
    for path in (one.named_path for one in each):
        scorer, session = OnnxMethod(path), open_session(path)
        for said, there in (
            (scorer.contract.inputs, session.get_inputs()),
            (scorer.contract.outputs, session.get_outputs()),
        ):
            assert [(one.name, types[one.type], list(one.shape)) for one in said] == [
                (one.name, one.type, one.shape) for one in there
            ]


def test_the_metadata_are_enough_to_apply_it(each: list[Export]) -> None:
    contract = OnnxMethod(each[-1].named_path).contract
    assert contract.branch_map == entries_of("atlas_open_data")
    assert FourLeptonSelectionConfig.model_validate(contract.selection).pair_mass_min_gev == 6.0
    assert contract.folds == FOLDS
    assert {name: list(each) for name, each in contract.uses.items()} == INPUTS
    assert contract.provenance["run_id"] == "run-of-the-training"
    (pt, *_) = next(one for one in contract.inputs if one.name == "leptons").features
    assert (pt.name, pt.unit) == ("pt", "GeV")


def test_all_folds_in_one_pick_the_model_of_each_event(each: list[Export], events: Events) -> None:
    whole = OnnxMethod(each[-1].named_path)
    check_method(whole, events.take(slice(0, 200)))
    said = whole.answer(events)
    fold = fold_of(events.event_number, FOLDS)
    for place, path in enumerate(one.named_path for one in each[:-1]):
        own, others = events.take(fold == place), events.take(fold != place)
        scorer = OnnxMethod(path)
        check_method(scorer, own.take(slice(0, 50)), seen=others)
        np.testing.assert_allclose(said[fold == place], scorer.answer(own), atol=1e-6)


def test_trees_say_what_scikit_learn_says(trees: list[Export], events: Events) -> None:
    model = some_trees(events, held_out=1)
    own = events.take(events.fold == 1)
    said = model.outputs(own.inputs())["score"][:, 0]
    np.testing.assert_allclose(OnnxMethod(trees[1].named_path).answer(own), said, atol=1e-6)
    assert np.std(said) > 0.1


@pytest.mark.parametrize("opset", [15, 19, 20])
def test_any_operator_set_scores_the_same(opset: int, events: Events) -> None:
    trees, network = some_trees(events, held_out=1), small_classifier(1)
    own = {name: array[:200] for name, array in events.inputs().items()}
    for proto, wanted in (
        (convert_trees(trees, opset), trees.outputs(own)["score"][:, 0]),
        (convert(network, opset), np.asarray(network(own)["score"])[:, 0]),
    ):
        assert proto.opset_import[0].version == opset
        (said,) = open_session(proto.SerializeToString()).run(["score"], own)
        np.testing.assert_allclose(said[:, 0], wanted, atol=1e-6)


def test_the_contract_says_what_goes_in(trees: list[Export], events: Events) -> None:
    contract = OnnxMethod(trees[0].named_path).contract
    leptons = next(tensor for tensor in contract.inputs if tensor.name == "leptons")
    pt = events.leptons[..., 0]
    assert leptons.features[0].range == (pt.min(), pt.max())
    assert contract.dataset == "0123456789abcdef"
    rows = [row for row in trees[0].parity if row["file"] == trees[0].named_path.name]
    assert contract.metrics == {"parity_score": max(row["score"] for row in rows)}


def test_the_table_has_the_contract_and_the_checksum_of_every_file(each: list[Export]) -> None:
    table = FoldsTable.model_validate_json(each[0].table_path.read_text())
    for path in (one.named_path for one in each):
        assert table.contracts[path.name] == OnnxMethod(path).contract
        assert table.sha256[path.name] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert each[-1].model.SerializeToString() == each[-1].named_path.read_bytes()


def test_the_example_is_what_the_model_says(each: list[Export]) -> None:
    assert set(each[-1].input_example) == {"leptons", "event", "fold"}
    session = open_session(each[-1].named_path)
    (said,) = session.run(["score"], each[-1].input_example)
    np.testing.assert_allclose(said, each[-1].output_example["score"], atol=1e-6)


def test_a_map_of_ones_own_is_taken_along(events: Events, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("tree: events\njet_n: njets\n")
    about = about_h4l(FOLDS, branch_map=str(own), held_out=0)
    prepared = prepare(some_trees(events, 0), events, about, ExportConfig())
    assert prepared.contracts["named", "float32"].branch_map == {
        "tree": "events", "jet_n": "njets",
    }  # fmt: skip


def test_files_that_differ_are_not_written(
    events: Events, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [some_trees(events, fold) for fold in range(3)]
    true = convert_trees

    def wrong(model: TreesModel, opset: int) -> onnx.ModelProto:
        model.trees._baseline_prediction += 1e-4
        proto = true(model, opset)
        model.trees._baseline_prediction -= 1e-4
        return proto

    monkeypatch.setattr("rootflow.export.preparation.convert_trees", wrong)
    with pytest.raises(RootflowError, match="differ, so that nothing is exported: h4l_toy"):
        exported(events, models, tmp_path / "export")
    assert not (tmp_path / "export").exists()


def test_the_file_of_all_folds_needs_a_model_of_each(events: Events) -> None:
    about = about_h4l(FOLDS)
    some = [
        prepare(some_trees(events, fold), events, replace(about, held_out=fold), ExportConfig())
        for fold in (0, 1)
    ]
    with pytest.raises(UsageError, match="2 models for 3 folds"):
        prepare_all_folds(some, events, about, ExportConfig())


def test_trees_have_no_weights_to_round(events: Events) -> None:
    config = ExportConfig(precisions=("float32", "float16", "int8"))
    with pytest.raises(UsageError, match=r"export\.precisions: float16, int8 round the weights"):
        prepare(some_trees(events, 0), events, about_h4l(FOLDS, held_out=0), config)
