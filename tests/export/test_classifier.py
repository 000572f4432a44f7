import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from rootflow.analyses.h4l import INPUTS
from rootflow.config import ExportConfig, FoldingConfig, FourLeptonSelectionConfig
from rootflow.dataset import Events
from rootflow.dataset.folds import fold_of
from rootflow.errors import RootflowError, UsageError
from rootflow.export import ClassifierExport, classifier, export_classifier
from rootflow.exported.folds import FoldsTable
from rootflow.exported.session import open_session
from rootflow.methods.conformance import check_method
from rootflow.methods.exported import OnnxMethod
from rootflow.models import in_a_row
from rootflow.training.trees import TreesModel
from runtimes import batches, hold_in_every_onnxruntime
from small_classifier import small_classifier
from toy_four_leptons import H4L_UNITS, h4l_inputs, toy_four_leptons

FOLDS = FoldingConfig(count=3)


@pytest.fixture(scope="module")
def events() -> Events:
    return toy_four_leptons(1500, seed=4, folds=FOLDS)


def some_trees(events: Events, held_out: int) -> TreesModel:
    training = events.take(events.fold != held_out)
    trees = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=15, random_state=1)
    rows = in_a_row(training.inputs(), h4l_inputs())
    return TreesModel(h4l_inputs(), trees.fit(rows, training.label))


def exported(events: Events, models: list[Any], directory: Path, **more: Any) -> ClassifierExport:
    settings: dict[str, Any] = {
        "units": H4L_UNITS,
        "branch_map": "atlas_open_data",
        "selection": FourLeptonSelectionConfig(pair_mass_min_gev=6.0),
        "name": "toy",
        **more,
    }
    return export_classifier(
        models,
        events,
        FOLDS,
        ExportConfig(),
        INPUTS,
        {"dataset": "0123456789abcdef", "run_id": "run-of-the-training"},
        directory,
        **settings,
    )


@pytest.fixture(scope="module")
def networks(events: Events, tmp_path_factory: pytest.TempPathFactory) -> ClassifierExport:
    models = [small_classifier(seed) for seed in range(3)]
    return exported(events, models, tmp_path_factory.mktemp("networks") / "export")


@pytest.fixture(scope="module")
def trees(events: Events, tmp_path_factory: pytest.TempPathFactory) -> ClassifierExport:
    models = [some_trees(events, fold) for fold in range(3)]
    return exported(events, models, tmp_path_factory.mktemp("trees") / "export")


@pytest.fixture(params=["networks", "trees"])
def each(request: pytest.FixtureRequest) -> ClassifierExport:
    answer: ClassifierExport = request.getfixturevalue(request.param)
    return answer


def test_there_is_a_file_for_each_fold_and_one_of_all(each: ClassifierExport) -> None:
    folder = each.combined_path.parent
    assert {path.name for path in folder.iterdir()} == {
        "h4l_toy_applied_to_fold0of3.onnx", "h4l_toy_applied_to_fold1of3.onnx",
        "h4l_toy_applied_to_fold2of3.onnx", "h4l_toy_all_folds.onnx", "folds.json",
    }  # fmt: skip
    assert set(each.paths) == set(folder.iterdir())
    table = json.loads(each.table_path.read_text())
    assert table["folds"] == {str(fold): each.fold_paths[fold].name for fold in range(3)}
    assert table["all_folds"] == each.combined_path.name
    assert table["parity"] == each.parity


def test_every_file_is_proven(each: ClassifierExport) -> None:
    proven = {(row["file"], row["events"], row["batch_size"]) for row in each.parity}
    files = [path.name for path in (*each.fold_paths, each.combined_path)]
    assert proven == {
        (file, kind, size)
        for file in files
        for kind in ("real", "extreme")
        for size in (0, 1, 2, 7, 1000)
    }
    assert max(row["score"] for row in each.parity) <= 1e-6
    assert all(row["count"] >= 1000 for row in each.parity if row["batch_size"] == 1000)


def test_files_hold_in_every_onnxruntime(each: ClassifierExport, events: Events) -> None:
    arrays = {**events.inputs(), "fold": events.fold.astype(np.int64)}
    files, feeds = {}, {}
    for path in (each.fold_paths[0], each.combined_path):
        files[path.stem] = path.read_bytes()
        taken = [tensor.name for tensor in open_session(path).get_inputs()]
        feeds[path.stem] = batches({name: arrays[name] for name in taken})
    hold_in_every_onnxruntime(files, feeds)


def test_files_are_valid_onnx(each: ClassifierExport) -> None:
    for path in (*each.fold_paths, each.combined_path):
        onnx.checker.check_model(onnx.load(path), full_check=True)


def test_the_contract_is_of_the_tensors_in_the_file(each: ClassifierExport) -> None:
    types = {"float32": "tensor(float)", "int64": "tensor(int64)"}
    for path in (*each.fold_paths, each.combined_path):
        scorer, session = OnnxMethod(path), open_session(path)
        for said, there in (
            (scorer.contract.inputs, session.get_inputs()),
            (scorer.contract.outputs, session.get_outputs()),
        ):
            assert [(one.name, types[one.type], list(one.shape)) for one in said] == [
                (one.name, one.type, one.shape) for one in there
            ]


def test_the_metadata_are_enough_to_apply_it(each: ClassifierExport) -> None:
    contract = OnnxMethod(each.combined_path).contract
    assert contract.branch_map == "atlas_open_data"
    assert FourLeptonSelectionConfig.model_validate(contract.selection).pair_mass_min_gev == 6.0
    assert contract.folds == FOLDS
    assert {name: list(each) for name, each in contract.uses.items()} == INPUTS
    assert contract.provenance["run_id"] == "run-of-the-training"
    (pt, *_) = next(one for one in contract.inputs if one.name == "leptons").features
    assert (pt.name, pt.unit) == ("pt", "GeV")


def test_all_folds_in_one_pick_the_model_of_each_event(
    each: ClassifierExport, events: Events
) -> None:
    whole = OnnxMethod(each.combined_path)
    check_method(whole, events.take(slice(0, 200)))
    said = whole.answer(events)
    fold = fold_of(events.event_number, FOLDS)
    for place, path in enumerate(each.fold_paths):
        own, others = events.take(fold == place), events.take(fold != place)
        scorer = OnnxMethod(path)
        check_method(scorer, own.take(slice(0, 50)), seen=others)
        np.testing.assert_allclose(said[fold == place], scorer.answer(own), atol=1e-6)


def test_trees_say_what_scikit_learn_says(trees: ClassifierExport, events: Events) -> None:
    model = some_trees(events, held_out=1)
    own = events.take(events.fold == 1)
    np.testing.assert_allclose(
        OnnxMethod(trees.fold_paths[1]).answer(own), model.predict(own.inputs()), atol=1e-6
    )
    assert np.std(model.predict(own.inputs())) > 0.1


@pytest.mark.parametrize("opset", [15, 19, 20])
def test_any_operator_set_scores_the_same(opset: int, events: Events) -> None:
    trees, network = some_trees(events, held_out=1), small_classifier(1)
    own = {name: array[:200] for name, array in events.inputs().items()}
    for proto, wanted in (
        (classifier.convert_trees(trees, opset), trees.predict(own)),
        (classifier.convert(network, opset), np.asarray(network(own)["score"])[:, 0]),
    ):
        assert proto.opset_import[0].version == opset
        (said,) = open_session(proto.SerializeToString()).run(["score"], own)
        np.testing.assert_allclose(said[:, 0], wanted, atol=1e-6)


def test_the_contract_says_what_goes_in(trees: ClassifierExport, events: Events) -> None:
    contract = OnnxMethod(trees.fold_paths[0]).contract
    leptons = next(tensor for tensor in contract.inputs if tensor.name == "leptons")
    pt = events.leptons[..., 0]
    assert leptons.features[0].range == (pt.min(), pt.max())
    assert contract.dataset == "0123456789abcdef"
    rows = [row for row in trees.parity if row["file"] == trees.fold_paths[0].name]
    assert contract.metrics == {"parity_score": max(row["score"] for row in rows)}


def test_the_table_has_the_contract_and_the_checksum_of_every_file(each: ClassifierExport) -> None:
    table = FoldsTable.model_validate_json(each.table_path.read_text())
    for path in (*each.fold_paths, each.combined_path):
        assert table.contracts[path.name] == OnnxMethod(path).contract
        assert table.sha256[path.name] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert each.combined.SerializeToString() == each.combined_path.read_bytes()


def test_the_example_is_what_the_model_says(each: ClassifierExport) -> None:
    assert set(each.input_example) == {"leptons", "event", "fold"}
    session = open_session(each.combined_path)
    (said,) = session.run(["score"], each.input_example)
    np.testing.assert_allclose(said, each.output_example["score"], atol=1e-6)


def test_a_map_of_ones_own_is_taken_along(events: Events, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("tree: events\njet_n: njets\n")
    models = [some_trees(events, fold) for fold in range(3)]
    export = exported(events, models, tmp_path / "export", branch_map=str(own))
    assert OnnxMethod(export.combined_path).contract.branch_map == {
        "tree": "events", "jet_n": "njets",
    }  # fmt: skip


def test_files_that_differ_are_not_written(
    events: Events, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [some_trees(events, fold) for fold in range(3)]
    true = classifier.convert_trees

    def wrong(model: TreesModel, opset: int) -> onnx.ModelProto:
        model.trees._baseline_prediction += 1e-4
        proto = true(model, opset)
        model.trees._baseline_prediction -= 1e-4
        return proto

    monkeypatch.setattr(classifier, "convert_trees", wrong)
    with pytest.raises(RootflowError, match="differ, so that nothing is exported: h4l_toy"):
        exported(events, models, tmp_path / "export")
    assert not (tmp_path / "export").exists()


def test_each_fold_needs_a_model(events: Events, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="2 models for 3 folds"):
        exported(events, [None, None], tmp_path / "export")


def test_a_directory_that_is_there_is_refused(events: Events, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there already"):
        exported(events, [None] * 3, tmp_path)
