from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from rootflow.analyses.h4l import H4lConfig
from rootflow.config import FoldsConfig
from rootflow.dataset import Dataset, Events
from rootflow.errors import InputError, UsageError
from rootflow.methods.trained import TrainedMethod
from rootflow.training.classification import ClassificationTask, labels
from rootflow.training.fitting import Training, fit, question
from rootflow.training.metrics import cross_entropy, weighted_auc
from rootflow.training.record import load_fitted, read_record
from toy_four_leptons import toy_four_leptons

MakeConfig = Callable[..., H4lConfig]
MakeDataset = Callable[..., Dataset]

FOLDS = FoldsConfig(count=5, held_out=2)
KEYS = {"loss", "auc"}


class InterruptedTrainingError(Exception):
    """What a test stops a training with."""


def silent(_: int, __: Mapping[str, float]) -> None:
    pass


def stop_at_once(_: int, __: Mapping[str, float]) -> None:
    raise InterruptedTrainingError


def train(dataset: Dataset, config: H4lConfig, directory: Path) -> Training:
    return fit(dataset, config, directory, silent, FOLDS)


def score(model: keras.Model, events: Events) -> np.ndarray:
    arrays = {name: getattr(events, name) for name in model.input}
    return keras.ops.convert_to_numpy(model(arrays, training=False)["score"])[:, 0]


def assert_same(first: Training, second: Training) -> None:
    assert first.history == second.history
    for ours, theirs in zip(
        *(load_fitted(training.directory).get_weights() for training in (first, second)),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.fixture(scope="module")
def config(make_h4l_config: MakeConfig) -> H4lConfig:
    return make_h4l_config(learning_rate=1e-2, epochs=4)


@pytest.fixture(scope="module")
def finished(
    labelled_dataset: Dataset, config: H4lConfig, tmp_path_factory: pytest.TempPathFactory
) -> Training:
    return train(labelled_dataset, config, tmp_path_factory.mktemp("finished"))


def test_a_training_tells_its_story(finished: Training, four_leptons: Events) -> None:
    expected = {f"{of}_{key}" for of in ("training", "validation") for key in KEYS}
    for metrics in finished.history:
        assert set(metrics) == expected | {"learning_rate"}
    assert finished.history[-1]["training_loss"] < finished.history[0]["training_loss"]
    assert finished.history[-1]["training_auc"] > 0.7
    facts = finished.facts
    labelled = (four_leptons.label != -1) & (four_leptons.fold != 2)
    assert facts["training_events"] + facts["validation_events"] == np.sum(labelled)
    assert facts["signal_events"] + facts["background_events"] == facts["training_events"]
    assert facts["signal_training_weight"] == pytest.approx(facts["background_training_weight"])
    for name in ("signal", "background"):
        effective = facts[f"{name}_effective_events_before"]
        assert 0.8 * facts[f"{name}_events"] < effective < facts[f"{name}_events"]
        assert facts[f"{name}_effective_events_after"] == pytest.approx(effective)
    best = finished.history[facts["best_epoch"] - 1]
    for name in ("validation_loss", "validation_auc"):
        assert facts[f"best_{name}"] == best[name]
    assert best["validation_loss"] == min(each["validation_loss"] for each in finished.history)


def test_metrics_are_those_of_the_network_that_is_kept(
    finished: Training, labelled_dataset: Dataset, config: H4lConfig
) -> None:
    sample = ClassificationTask(labelled_dataset, config, FOLDS).samples.validation
    said = score(load_fitted(finished.directory), labelled_dataset.events(sample.places))
    best = finished.history[finished.facts["best_epoch"] - 1]
    label, weight = labels(sample), sample.weight
    assert best["validation_auc"] == pytest.approx(weighted_auc(said, label, weight), abs=1e-6)
    losses = cross_entropy(said, label)
    assert best["validation_loss"] == pytest.approx(np.average(losses, weights=weight), rel=1e-5)
    scatter = np.std(losses) / np.sqrt(len(losses))
    assert finished.facts["best_validation_loss_error"] == pytest.approx(scatter, rel=0.3)


def test_the_record_says_what_scoring_needs(finished: Training, labelled_dataset: Dataset) -> None:
    record = read_record(finished.directory)
    assert record.folds == FOLDS
    assert record.inputs is not None
    assert record.inputs["leptons"] == ["pt", "eta", "phi", "energy", "pdg_id"]
    assert record.model.batch_norm is True
    assert record.features == labelled_dataset.features
    assert record.model_file == "model.keras"


def test_an_interrupted_training_goes_on_to_the_same_end(
    finished: Training, labelled_dataset: Dataset, config: H4lConfig, tmp_path: Path
) -> None:
    with pytest.raises(InterruptedTrainingError):
        fit(labelled_dataset, config, tmp_path, stop_at_once, FOLDS)
    assert not (tmp_path / "training.json").exists()
    assert_same(train(labelled_dataset, config, tmp_path), finished)


def test_data_never_train_nor_validate(
    finished: Training,
    make_labelled_dataset: MakeDataset,
    four_leptons: Events,
    config: H4lConfig,
    tmp_path: Path,
) -> None:
    data = four_leptons.label == -1
    changed = replace(
        four_leptons,
        leptons=np.where(data[:, None, None], 2 * four_leptons.leptons, four_leptons.leptons),
        weight=np.where(data, 100.0, four_leptons.weight),
    )
    assert_same(train(make_labelled_dataset(changed), config, tmp_path), finished)


@pytest.mark.parametrize("class_balance", [True, False])
def test_the_network_learns_the_likelihood_ratio_of_weighted_events(
    make_labelled_dataset: MakeDataset,
    make_h4l_config: MakeConfig,
    tmp_path: Path,
    class_balance: bool,
) -> None:
    # Both classes are spread evenly in x; only the weights make them Gaussians at 1 and
    # 0, three times as much background. Then log(signal / background) = x - 1/2 - log 3.
    x = np.random.default_rng(5).uniform(-3, 4, 6000)
    events = toy_four_leptons(6000)
    center = (events.label == 1).astype(float)
    event = events.event.copy()
    event[:, 0] = x
    weight = np.exp(-0.5 * (x - center) ** 2) * np.where(events.label == 1, 1, 3)
    config = make_h4l_config(
        {"architecture": "feed_forward", "width": 16, "depth": 2, "dropout": 0.0},
        weights={"class_balance": class_balance},
        inputs={"leptons": [], "event": ["jet_n"]},
        epochs=12,
        learning_rate=1e-2,
    )
    training = train(
        make_labelled_dataset(replace(events, event=event, weight=weight)), config, tmp_path
    )
    place = np.linspace(-1.5, 2.5, 9)
    asked = replace(events.take(slice(0, 9)), event=event[:9].copy())
    asked.event[:, 0] = place
    odds = place - 0.5 - (0 if class_balance else np.log(3))
    np.testing.assert_allclose(
        score(load_fitted(training.directory), asked), 1 / (1 + np.exp(-odds)), atol=0.06
    )
    # Phi(1 / sqrt 2) of two unit Gaussians; the training sample has an error of 0.008.
    assert training.history[-1]["training_auc"] == pytest.approx(0.7602, abs=0.025)


def test_data_alone_are_refused(
    make_labelled_dataset: MakeDataset, config: H4lConfig, tmp_path: Path
) -> None:
    data = make_labelled_dataset(toy_four_leptons(100, labels=(-1,)))
    with pytest.raises(InputError, match="no event has a label, all are data"):
        train(data, config, tmp_path)


@pytest.mark.parametrize(("kept", "found"), [(0, "no event"), (1, "1 event")])
def test_a_class_needs_two_events_in_training_and_in_validation(
    make_labelled_dataset: MakeDataset,
    labelled_dataset: Dataset,
    four_leptons: Events,
    config: H4lConfig,
    tmp_path: Path,
    kept: int,
    found: str,
) -> None:
    samples = ClassificationTask(labelled_dataset, config, FOLDS).samples
    for part, purpose in ((samples.training, "train"), (samples.validation, "validate")):
        there = np.zeros(900, bool)
        there[part.places] = True
        signal = np.flatnonzero(there & (four_leptons.label == 1))
        few = np.delete(np.arange(900), signal[kept:])
        expected = rf"to {purpose} for fold 2: there is {found} of signal"
        with pytest.raises(InputError, match=expected) as caught:
            train(make_labelled_dataset(four_leptons.take(few)), config, tmp_path / purpose)
        assert "\n" not in str(caught.value)


def test_an_input_that_is_not_there_is_refused(
    labelled_dataset: Dataset, make_h4l_config: MakeConfig, tmp_path: Path
) -> None:
    for model in ({"architecture": "deep_set"}, {"architecture": "boosted_trees"}):
        config = make_h4l_config(model, inputs={"event": ["m4"]})
        with pytest.raises(
            UsageError, match=r"inputs\.event: the dataset has no 'm4'; .*m4l"
        ) as said:
            train(labelled_dataset, config, tmp_path)
        assert "older" not in str(said.value)


def test_an_input_that_came_after_the_dataset_was_made_is_told_as_that(
    labelled_dataset: Dataset, make_h4l_config: MakeConfig, tmp_path: Path
) -> None:
    manifest = labelled_dataset.manifest.model_copy(update={"code": "0123456789abcdef"})
    old = Dataset(labelled_dataset.path, manifest)
    for model in ({"architecture": "deep_set"}, {"architecture": "boosted_trees"}):
        config = make_h4l_config(model, inputs={"event": ["z_mass_ratio"]})
        with pytest.raises(UsageError, match=r"no 'z_mass_ratio'; .* is older than the code: run"):
            train(old, config, tmp_path)


def test_a_trial_leaves_a_whole_training(
    labelled_dataset: Dataset, make_h4l_config: MakeConfig, tmp_path: Path
) -> None:
    models: list[dict[str, Any]] = [
        {"architecture": "deep_set", "width": 8},
        {"architecture": "set_transformer", "width": 8, "heads": 2, "depth": 1},
        {"architecture": "boosted_trees"},
        {"architecture": "own_network:build", "settings": {"width": 4}},
    ]
    for model in models:
        config = make_h4l_config(model, fast_dev_run=True)
        training = train(labelled_dataset, config, tmp_path / model["architecture"])
        assert np.all(np.isfinite([*training.history[-1].values()]))
        load_fitted(training.directory)


def test_a_training_is_named_by_all_that_decides_the_model(make_h4l_config: MakeConfig) -> None:
    def name(held_out: int = 0, **settings: Any) -> str:
        return question("data", make_h4l_config(**settings), FoldsConfig(held_out=held_out))

    trees = {"architecture": "boosted_trees"}
    networks = {
        name(),
        name(held_out=1),
        name(inputs={"event": ["jet_n"]}),
        name(weights={"class_balance": False}),
        name(weights={"negative": "drop"}),
        name(epochs=4),
    }
    assert len(networks) == 6
    own = {"architecture": "own_network:build"}
    assert len({name(model=own), name(model=own | {"settings": {"width": 2}}), *networks}) == 8
    assert name(model=trees) not in networks
    assert name(model=trees) == name(model=trees, epochs=4)
    assert name(model=trees) != name(model=trees, validation_fraction=0.2)
    assert name(model=trees) == name(model=trees | {"name": "forest"})


@pytest.mark.parametrize("architecture", ["deep_set", "boosted_trees"])
def test_three_classes_are_told_apart_by_any_number_of_jets(
    architecture: str,
    make_labelled_dataset: MakeDataset,
    make_h4l_config: MakeConfig,
    tmp_path: Path,
) -> None:
    events = toy_four_leptons(1200, labels=(0, 1, 2))
    random = np.random.default_rng(3)
    # Class by class one jet more, and of the last class harder ones.
    mask = np.arange(4) < random.binomial(4, 0.1 + 0.35 * events.label)[:, None]
    pt = random.exponential(30 + 40 * (events.label[:, None] == 2), (1200, 4))
    jets = np.stack([pt, random.normal(0, 1, pt.shape), random.uniform(-3, 3, pt.shape)], axis=-1)
    events = events.replace(
        features={**events.features, "jets": ("pt", "eta", "phi")},
        jets=np.where(mask[..., None], jets, 0).astype(np.float32),
        jet_mask=mask,
    )
    dataset = make_labelled_dataset(events, ("few", "some", "many"))
    config = make_h4l_config(
        {"architecture": architecture},
        inputs={"jets": ["pt", "phi"], "leptons": ["phi"], "event": []},
        epochs=4,
        learning_rate=1e-2,
    )
    training = train(dataset, config, tmp_path)
    weights = [training.facts[f"{name}_training_weight"] for name in ("few", "some", "many")]
    np.testing.assert_allclose(weights, weights[0], rtol=1e-6)
    best = training.history[int(training.facts["best_epoch"]) - 1]
    areas = [best[f"validation_auc_{name}"] for name in ("few", "some", "many")]
    assert best["validation_auc"] == pytest.approx(np.mean(areas))
    assert min(areas) > 0.6
    assert areas[2] > 0.85
    record = read_record(tmp_path)
    assert record.classes == ("few", "some", "many")
    method = TrainedMethod.of_training(tmp_path)
    unseen = events.take(events.fold == 2)
    said = method.outputs(unseen)["probabilities"]
    assert said.shape == (len(unseen), 3)
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-5)
    other = np.where(unseen.jet_mask[..., None], unseen.jets, np.float32(9))
    np.testing.assert_array_equal(method.outputs(unseen.replace(jets=other))["probabilities"], said)
    turn = np.zeros(3, np.float32)
    turn[2] = 0.5
    turned = unseen.replace(
        jets=np.where(unseen.jet_mask[..., None], unseen.jets + turn, 0),
        leptons=unseen.leptons + np.array([0, 0, 0.5, 0, 0], np.float32),
    )
    assert np.mean(np.abs(method.outputs(turned)["probabilities"] - said)) < 1e-4


@pytest.mark.parametrize("loss", ["focal", "own_losses:brier"])
def test_other_losses_are_what_is_made_small_and_told(
    loss: str, labelled_dataset: Dataset, make_h4l_config: MakeConfig, tmp_path: Path
) -> None:
    config = make_h4l_config(learning_rate=1e-2, epochs=2, loss=loss)
    finished = train(labelled_dataset, config, tmp_path)
    task = ClassificationTask(labelled_dataset, config, FOLDS)
    model = load_fitted(finished.directory)
    validation = task.samples.validation
    events = labelled_dataset.events().take(validation.places)
    said, label = score(model, events).astype(np.float64), labels(validation)
    right = np.where(label == 1, said, 1 - said)
    values = (1 - right) ** 2 * (1 if loss == "own_losses:brier" else -np.log(right))
    best = min(metrics["validation_loss"] for metrics in finished.history)
    assert best == pytest.approx(np.average(values, weights=validation.weight), rel=1e-4)
    assert 0 < finished.facts["best_validation_loss_error"] < best
