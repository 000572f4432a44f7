import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from rootflow.analyses.h4l import INPUTS, H4lConfig
from rootflow.checksum import seal_archive
from rootflow.config import FoldsConfig
from rootflow.dataset import Dataset, Events
from rootflow.errors import InputError, UsageError
from rootflow.training.classification import ClassificationTask, labels
from rootflow.training.fitting import Training, fit
from rootflow.training.metrics import cross_entropy, weighted_auc
from rootflow.training.record import load_fitted
from rootflow.training.trees import TreesModel, load_trees, save_trees
from toy_four_leptons import h4l_inputs, toy_four_leptons

MakeConfig = Callable[..., H4lConfig]
MakeDataset = Callable[[Events], Dataset]

FOLDS = FoldsConfig(count=5, held_out=1)
FEW = {"architecture": "boosted_trees", "trees": 60, "min_samples_leaf": 10, "learning_rate": 0.2}


@pytest.fixture(scope="module")
def config(make_h4l_config: MakeConfig) -> H4lConfig:
    return make_h4l_config(FEW)


@pytest.fixture(scope="module")
def epochs() -> list[tuple[int, dict[str, float]]]:
    return []


@pytest.fixture(scope="module")
def finished(
    labelled_dataset: Dataset,
    config: H4lConfig,
    epochs: list[tuple[int, dict[str, float]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Training:
    directory = tmp_path_factory.mktemp("trees")
    return fit(labelled_dataset, config, directory, lambda *epoch: epochs.append(epoch), FOLDS)


def test_the_history_is_of_every_ten_trees(
    finished: Training, epochs: list[tuple[int, dict[str, float]]]
) -> None:
    assert epochs == list(enumerate(finished.history, 1))
    trees = [metrics["trees_grown"] for metrics in finished.history]
    assert trees[:3] == [10, 20, 30]
    losses = [metrics["training_loss"] for metrics in finished.history]
    assert losses == sorted(losses, reverse=True)
    assert finished.history[0]["learning_rate"] == 0.2


def test_the_trees_that_are_kept_are_the_best_on_the_validation_events(
    finished: Training, labelled_dataset: Dataset, config: H4lConfig
) -> None:
    validation = ClassificationTask(labelled_dataset, config, FOLDS).samples.validation
    model = load_fitted(finished.directory)
    events = labelled_dataset.events(validation.places)
    said = model.outputs(events.inputs())["score"][:, 0]
    label, weight = labels(validation), validation.weight
    best = finished.history[finished.facts["best_epoch"] - 1]
    assert best["validation_loss"] == min(m["validation_loss"] for m in finished.history)
    assert model.trees.n_iter_ == best["trees_grown"] == finished.facts["trees"]
    loss = np.average(cross_entropy(said, label), weights=weight)
    assert best["validation_loss"] == pytest.approx(loss, rel=1e-6)
    assert best["validation_auc"] == pytest.approx(weighted_auc(said, label, weight), rel=1e-9)
    assert finished.facts["best_validation_loss"] == pytest.approx(loss, rel=1e-6)


def test_the_trees_that_are_kept_are_those_that_grow_alone(
    finished: Training, labelled_dataset: Dataset, config: H4lConfig
) -> None:
    kept = load_fitted(finished.directory).trees
    task = ClassificationTask(labelled_dataset, config, FOLDS)
    rows = task.rows(task.samples.training)
    alone = HistGradientBoostingClassifier(**kept.get_params())
    alone.set_params(max_iter=kept.n_iter_, early_stopping=False)
    alone.fit(rows.values, rows.label, rows.weight)
    assert kept.n_iter_ < finished.history[-1]["trees_grown"]
    expected = alone.predict_proba(rows.values)
    np.testing.assert_array_equal(kept.predict_proba(rows.values), expected)


def test_patience_ends_the_growth(
    labelled_dataset: Dataset, make_h4l_config: MakeConfig, tmp_path: Path
) -> None:
    config = make_h4l_config({**FEW, "trees": 1000, "patience": 7, "learning_rate": 0.5})
    training = fit(labelled_dataset, config, tmp_path, lambda *_: None, FOLDS)
    assert training.history[-1]["trees_grown"] < 200


def test_the_same_seed_grows_the_same_trees_and_the_disk_keeps_them(
    finished: Training, labelled_dataset: Dataset, config: H4lConfig, tmp_path: Path
) -> None:
    again = fit(labelled_dataset, config, tmp_path, lambda *_: None, FOLDS)
    assert again.history == finished.history
    events = labelled_dataset.events().inputs()
    models = [load_fitted(training.directory) for training in (finished, again)]
    first, second = (model.outputs(events)["score"] for model in models)
    np.testing.assert_array_equal(first, second)
    save_trees(models[0], tmp_path / "copy.skops")
    copy = load_trees(tmp_path / "copy.skops")
    np.testing.assert_array_equal(copy.outputs(events)["score"], first)


def test_the_trees_learn_the_likelihood_ratio_of_weighted_events(
    make_labelled_dataset: MakeDataset, make_h4l_config: MakeConfig, tmp_path: Path
) -> None:
    # As for the network: the weights alone make Gaussians at 1 and 0 of even spreads.
    x = np.random.default_rng(5).uniform(-3, 4, 6000)
    events = toy_four_leptons(6000)
    event = events.event.copy()
    event[:, 0] = x
    weight = 0.01 * np.exp(-0.5 * (x - (events.label == 1)) ** 2)
    config = make_h4l_config(
        {**FEW, "learning_rate": 0.1, "max_leaf_nodes": 4, "min_samples_leaf": 100},
        inputs={"leptons": [], "event": ["jet_n"]},
    )
    dataset = make_labelled_dataset(replace(events, event=event, weight=weight))
    training = fit(dataset, config, tmp_path, lambda *_: None, FOLDS)
    place = np.linspace(-1, 2, 31)
    asked = np.zeros((31, event.shape[1]), np.float32)
    asked[:, 0] = place
    said = load_fitted(training.directory).outputs({"event": asked})["score"][:, 0]
    assert np.mean(np.abs(said - 1 / (1 + np.exp(0.5 - place)))) < 0.05


def test_negative_weights_are_refused(
    make_labelled_dataset: MakeDataset,
    make_h4l_config: MakeConfig,
    four_leptons: Events,
    config: H4lConfig,
    tmp_path: Path,
) -> None:
    weight = four_leptons.weight * np.where(np.arange(900) % 9 == 0, -1, 1)
    dataset = make_labelled_dataset(replace(four_leptons, weight=weight))
    with pytest.raises(UsageError, match=r"weights of \d+ events are negative.*absolute or drop"):
        fit(dataset, config, tmp_path, lambda *_: None, FOLDS)
    dropped = make_h4l_config(FEW, weights={"negative": "drop"})
    assert fit(dataset, dropped, tmp_path, lambda *_: None, FOLDS).history[-1]["training_auc"] > 0.8


def test_a_file_that_holds_other_things_is_refused(finished: Training, tmp_path: Path) -> None:
    model = load_trees(finished.model_path)
    about = json.dumps({name: one._asdict() for name, one in model.inputs.items()})
    other = tmp_path / "other.skops"
    with pytest.raises(InputError, match=r"other\.skops: there is no saved model"):
        load_trees(other)
    _write(other, about=about, trees=[Path("x"), print])
    with pytest.raises(InputError, match="it holds more than trees"):
        load_trees(other)
    _write(other, about=about, trees=LogisticRegression())
    with pytest.raises(InputError, match="it holds no boosted trees"):
        load_trees(other)
    _write(other, trees=model.trees)
    with pytest.raises(InputError, match="not a model that this rootflow can read"):
        load_trees(other)
    whole = finished.model_path.read_bytes()
    for part in (b"", whole[:1000], b"PK" + whole[2:-200], whole.replace(b"numpy", b"numpi")):
        other.write_bytes(part)
        with pytest.raises(InputError, match=r"other\.skops: .* checksum .* train again") as caught:
            load_trees(other)
        assert "\n" not in str(caught.value)


def _write(path: Path, **held: Any) -> None:
    skops.io.dump(held, path)
    seal_archive(path)


def test_trees_that_lead_out_of_their_arrays_are_refused(
    finished: Training, tmp_path: Path
) -> None:
    path = tmp_path / "tampered.skops"
    for field, value in (("left", 1_000_000), ("right", 0), ("feature_idx", 999)):
        model = load_trees(finished.model_path)
        model.trees._predictors[3][0].nodes[field][0] = value
        save_trees(model, path)
        with pytest.raises(InputError, match=r"tampered\.skops: not a model .* tree"):
            load_trees(path)
    model = load_trees(finished.model_path)
    save_trees(TreesModel(h4l_inputs(INPUTS | {"event": ["jet_n"]}), model.trees), path)
    with pytest.raises(InputError, match=r"its trees have 40 columns, not 25"):
        load_trees(path)
