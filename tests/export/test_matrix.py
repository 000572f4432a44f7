"""Classifiers for every target and precision, of masked collections and several classes, too."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import keras
import numpy as np
import onnx
import pytest

from exporting import about_h4l, about_ttbar, exported_classifiers
from rootflow.config import FoldingConfig, FoldsConfig
from rootflow.config.export import ExportConfig, Precision, Target
from rootflow.config.model import DeepSetConfig
from rootflow.dataset import Events
from rootflow.errors import RootflowError
from rootflow.export.precision import cost
from rootflow.export.preparation import prepare, prepare_all_folds
from rootflow.export.writing import Prepared, write
from rootflow.exported import FoldedModel
from rootflow.exported.session import open_session
from rootflow.models.classifier_inputs import fit_classifier_normalisation
from rootflow.models.classifiers import build_classifier
from runtimes import prepared_holds
from small_classes import CLASSES, small_classes
from small_network import small_network
from toy_four_leptons import h4l_inputs, toy_four_leptons

FOLDS = FoldingConfig(count=2)
EVERYTHING: dict[str, Any] = {
    "targets": get_args(Target),
    "precisions": get_args(Precision),
    "accuracy_loss_max": 0.05,
}


@pytest.fixture(scope="module")
def four_leptons() -> Events:
    return toy_four_leptons(1200, seed=4, folds=FOLDS)


@pytest.fixture(scope="module")
def binary(four_leptons: Events) -> Prepared:
    """Return a network of float64, as all that tell signal from background are."""
    keras.utils.set_random_seed(7)
    normalisation = fit_classifier_normalisation(
        [(four_leptons, four_leptons.weight)], h4l_inputs()
    )
    config = DeepSetConfig(architecture="deep_set", width=16, depth=1)
    network = build_classifier(config, h4l_inputs(), normalisation)
    config = ExportConfig(**EVERYTHING)
    return prepare(network, four_leptons, about_h4l(FOLDS, held_out=0), config)


@pytest.fixture(scope="module")
def labelled(toys: Events) -> Events:
    return replace(toys, label=(np.arange(len(toys)) % len(CLASSES)).astype(np.int8))


@pytest.fixture(scope="module")
def several(labelled: Events) -> Prepared:
    about = about_ttbar(
        task="classification",
        analysis="h4l",
        classes=CLASSES,
        folds=FoldsConfig(count=2, scheme="parity"),
    )
    return prepare(small_classes(labelled), labelled, about, ExportConfig(**EVERYTHING))


@pytest.fixture(params=["binary", "several"])
def each(request: pytest.FixtureRequest) -> Prepared:
    answer: Prepared = request.getfixturevalue(request.param)
    return answer


def test_every_target_and_precision_is_proven(each: Prepared, tmp_path: Path) -> None:
    wanted = {(target, bits) for target in get_args(Target) for bits in get_args(Precision)}
    assert set(each.contents) == wanted
    full = [row for row in each.parity if row["precision"] == "float32"]
    assert max(row["score"] for row in full) <= 1e-6
    assert {row["variant"] for row in each.parity} == {"named", "flat", "athena"}
    lower = {row["precision"]: row for row in each.physics}
    assert set(lower) == {"float16", "int8"}
    for row in lower.values():
        assert row["auc_loss"] == pytest.approx(row["auc_before"] - row["auc_after"])
        assert 0 <= row["auc_loss_error"] < 0.05
    assert max(row["score"] for row in each.parity if row["precision"] == "int8") > 1e-5
    (made,) = write([each], tmp_path / "export")
    assert {path.name for path in made.files.values()} == set(each.names.values())
    kinds = {"named": "named", "topcptoolkit-flat": "flat", "athena": "athena"}
    for (target, precision), contract in each.contracts.items():
        assert (contract.variant, contract.precision) == (kinds[target], precision)
        assert contract.task == "classification"


def test_every_file_holds_in_every_onnxruntime(
    each: Prepared, four_leptons: Events, labelled: Events
) -> None:
    if "probabilities" in each.output_example:
        return prepared_holds(each, labelled.take(slice(0, 100)))
    # Older versions have no cosine of the float64 that it is made of in full precision.
    rounded = {kind: content for kind, content in each.contents.items() if kind[1] != "float32"}
    return prepared_holds(replace(each, contents=rounded), four_leptons.take(slice(0, 100)))


def test_athena_gets_a_number_for_each_class(several: Prepared, labelled: Events) -> None:
    event = labelled.take(slice(3, 4))
    content = several.contents["athena", "float32"]
    session = open_session(content)
    names = [tensor.name for tensor in session.get_outputs()]
    assert names == ["small_pttbar", "small_pZjets", "small_pWW"]
    assert {len(tensor.shape) for tensor in session.get_outputs()} == {0}
    jets = event.jets[0, event.jet_mask[0]] * np.float32([1000, 1, 1, 1000, 1])
    leptons = event.leptons[0] * np.float32([1000, 1, 1, 1000, 1])
    met = event.met * np.float32([1000, 1])
    feeds = {"jet_features": jets, "lepton_features": leptons, "event_features": met}
    said = session.run(None, feeds)
    (wanted,) = open_session(several.contents["named", "float32"]).run(None, event.inputs())
    np.testing.assert_allclose(said, wanted[0], atol=1e-6)
    proto = onnx.ModelProto.FromString(content)
    metadata = {entry.key: entry.value for entry in proto.metadata_props}
    assert json.loads(metadata["gnn_config"])["output_names"] == names
    probabilities = several.contracts["named", "float32"].outputs[0]
    assert [feature.name for feature in probabilities.features] == list(CLASSES)


def test_a_flat_score_is_of_leptons_with_their_signs(binary: Prepared) -> None:
    features = binary.contracts["topcptoolkit-flat", "float32"].inputs[0].features
    assert [feature.name for feature in features][3:7] == [
        "lep_e[0]", "lep_pid[0]", "lep_pt[1]", "lep_eta[1]",
    ]  # fmt: skip
    assert features[4].range == (-13, 13)


def test_a_loss_of_auc_above_the_limit_is_refused(binary: Prepared, four_leptons: Events) -> None:
    full = binary.converted["float32"]
    int8 = full._replace(precision="int8")
    row = cost(full, int8, 0.0, four_leptons)
    assert row["auc_loss"] == row["auc_loss_error"] == 0
    with pytest.raises(RootflowError, match=r"int8 costs 0\.0000 .* of AUC"):
        cost(full, int8, -1e-9, four_leptons)
    of_one = four_leptons.take(four_leptons.label == 1)
    with pytest.raises(RootflowError, match="of class 1, or none of another"):
        cost(full, int8, 0.0, of_one)


def test_networks_of_all_folds_that_assign_jets_are_one_file(toys: Events, tmp_path: Path) -> None:
    config = ExportConfig(targets=("named",))
    about = about_ttbar(folds=FoldsConfig(count=2, scheme="parity"))
    prepared = [
        prepare(
            small_network(max_jets=4, momenta=lambda momenta, fold=fold: momenta + 100.0 * fold),
            toys,
            replace(about, held_out=fold, ranges={}),
            config,
        )
        for fold in range(2)
    ]
    whole = prepare_all_folds(prepared, toys, about, config)
    assert max(row["momentum"] for row in whole.parity) <= 1e-3
    *_, made = write([*prepared, whole], tmp_path / "set")
    assert made.named_path.name == "ttbar_small_all_folds.onnx"
    one, several = FoldedModel(made.named_path), FoldedModel(tmp_path / "set")
    few = toys.take(slice(0, 200))
    said, wanted = (
        model.predict(few.inputs(), few.event_number, allow_seen_events=True)
        for model in (one, several)
    )
    for name, array in wanted.items():
        np.testing.assert_allclose(said[name], array, rtol=1e-4, atol=1e-4)


def test_classifiers_of_several_classes_and_all_folds_are_one_file(
    labelled: Events, tmp_path: Path
) -> None:
    about = about_ttbar(
        task="classification",
        analysis="h4l",
        classes=CLASSES,
        folds=FoldsConfig(count=2, scheme="parity"),
    )
    models = [small_classes(labelled, seed) for seed in (1, 2)]
    *_, whole = exported_classifiers(models, labelled, about, tmp_path / "set")
    (row,) = {row["file"] for row in whole.parity}
    assert row == "h4l_small_all_folds.onnx"
    assert max(row["score"] for row in whole.parity) <= 1e-6
    said = FoldedModel(whole.named_path, other_code="warn")
    assert said.held_out == (0, 1)
