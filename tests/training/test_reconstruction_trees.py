"""Boosted trees that assign jets and give the neutrinos."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io

from rootflow.analyses.ttbar import TtbarConfig
from rootflow.checksum import seal_archive
from rootflow.config import FoldsConfig
from rootflow.dataset import Dataset, Events
from rootflow.errors import InputError, UsageError
from rootflow.methods.conformance import check_answers
from rootflow.methods.trained import TrainedMethod
from rootflow.training.fitting import Training, fit
from rootflow.training.reconstruction_trees import ReconstructionTrees, ReconstructionTreesTask
from rootflow.training.record import load_fitted
from rootflow.training.trees import load_trees
from symmetries import exchange_charges

MakeDataset = Callable[[Events], Dataset]
Change = Callable[..., TtbarConfig]

FOLDS = FoldsConfig(count=5, held_out=1)
TREES = {"architecture": "boosted_trees", "trees": 40, "learning_rate": 0.2}


def make_config(**changes: Any) -> TtbarConfig:
    return TtbarConfig.model_validate(
        {
            "analysis": "ttbar",
            "data": {"weights": {"negative": "keep"}},
            "model": TREES,
            **changes,
        }
    )


def grow(dataset: Dataset, directory: Path, **changes: Any) -> Training:
    return fit(dataset, make_config(**changes), directory, lambda *_: None, FOLDS)


@pytest.fixture(scope="module")
def dataset(make_dataset: MakeDataset, real_dataset: Dataset) -> Dataset:
    """Return a dataset of 4,000 events of simulated ttbar."""
    return make_dataset(real_dataset.events(slice(0, 4000)))


@pytest.fixture(scope="module")
def finished(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Training:
    return grow(dataset, tmp_path_factory.mktemp("trees"))


@pytest.fixture(scope="module")
def unseen(dataset: Dataset) -> Events:
    events = dataset.events()
    return events.take(events.fold == FOLDS.held_out)


def test_the_history_says_how_well_the_jets_are_assigned(
    finished: Training, dataset: Dataset
) -> None:
    first, last = finished.history[0], finished.history[-1]
    assert first["trees_grown"] == 10
    assert last["validation_assignment_accuracy"] > 0.6
    assert last["training_assignment_loss"] < first["training_assignment_loss"]
    best = finished.history[finished.facts["best_epoch"] - 1]
    validation = ReconstructionTreesTask(dataset, make_config(), FOLDS).samples.validation
    events = dataset.events(validation.places)
    both = events.take(events.matched)
    said = load_fitted(finished.directory).outputs(both.inputs())["assignment"]
    place = np.arange(len(both)), *both.assignment.T
    weight = validation.weight[events.matched]
    loss = np.average(-np.log(said[place]), weights=weight)
    assert best["validation_assignment_loss"] == pytest.approx(loss, rel=1e-4)
    right = said[place] == said.max(axis=(1, 2))
    assert best["validation_assignment_accuracy"] == pytest.approx(
        np.average(right, weights=weight), rel=1e-6
    )


def test_the_answers_are_better_than_chance_and_keep_the_contract(
    finished: Training, unseen: Events
) -> None:
    method = TrainedMethod.of_training(finished.directory)
    assert (method.task, method.parameters, method.has_posterior) == ("reconstruction", None, False)
    answer = method.answer(unseen)
    check_answers(answer, unseen)
    assert np.all(answer.solved)
    matched = unseen.matched
    right = np.all(answer.assignment == unseen.assignment, axis=1)[matched]
    assert right.mean() > 0.6
    # Regressed momenta are closer to the true ones than none at all.
    residual = (answer.neutrinos - unseen.neutrinos)[..., :2]
    assert np.std(residual) < 0.8 * np.std(unseen.neutrinos[..., :2])
    assert finished.facts["neutrino_rms_px"] == pytest.approx(np.std(residual), rel=0.2)


def test_exchanging_the_charges_exchanges_b_and_bbar(finished: Training, unseen: Events) -> None:
    model = load_fitted(finished.directory)
    before, after = (model.outputs(e.inputs()) for e in (unseen, exchange_charges(unseen)))
    np.testing.assert_allclose(after["assignment"], before["assignment"].swapaxes(1, 2), atol=1e-6)
    np.testing.assert_allclose(after["neutrinos"], before["neutrinos"][:, ::-1], atol=1e-3)


def test_the_same_seed_grows_the_same_trees_and_no_event_needs_another(
    finished: Training, dataset: Dataset, unseen: Events, tmp_path: Path
) -> None:
    again = grow(dataset, tmp_path)
    assert again.history == finished.history
    models = [load_fitted(training.directory) for training in (finished, again)]
    first, second = (model.outputs(unseen.inputs()) for model in models)
    for name, array in first.items():
        np.testing.assert_array_equal(second[name], array)
        few = unseen.take(slice(10, 13))
        # Where vectors end, and what is left is computed alone, depends on how many there are.
        np.testing.assert_allclose(models[0].outputs(few.inputs())[name], array[10:13], rtol=1e-6)
        assert models[0].outputs(unseen.take(slice(0, 0)).inputs())[name].shape == (
            0,
            *array.shape[1:],
        )


def test_inputs_are_chosen_and_settings_count(
    finished: Training, dataset: Dataset, unseen: Events, tmp_path: Path
) -> None:
    kinematics = ["pt", "eta", "phi", "energy"]
    inputs = {"jets": kinematics, "leptons": kinematics}
    training = grow(dataset, tmp_path / "inputs", inputs=inputs, seed=7)
    model = load_fitted(training.directory)
    assert model.takes == ["jets", "jet_mask", "leptons"]
    answer = TrainedMethod.of_training(training.directory).answer(unseen)
    check_answers(answer, unseen)
    with pytest.raises(UsageError, match="another training is finished there"):
        grow(dataset, finished.directory, model={**TREES, "l2": 3.0})


def test_negative_weights_and_data_without_truth_are_refused(
    make_dataset: MakeDataset, few_events: Events, tmp_path: Path
) -> None:
    weight = few_events.weight * np.where(np.arange(600) % 9 == 0, -1, 1)
    negative = make_dataset(replace(few_events, weight=weight))
    with pytest.raises(UsageError, match=r"weights of \d+ events are negative.*absolute or drop"):
        grow(negative, tmp_path)
    blind = make_dataset(replace(few_events, assignment=None, neutrinos=None, tops=None))
    with pytest.raises(InputError, match="these events have no truth"):
        grow(blind, tmp_path)


def test_events_of_other_slots_are_refused(finished: Training, unseen: Events) -> None:
    fewer = replace(unseen, jets=unseen.jets[:, :4], jet_mask=unseen.jet_mask[:, :4])
    with pytest.raises(InputError, match="boosted_trees"):
        TrainedMethod.of_training(finished.directory).answer(fewer)


def test_files_that_hold_other_trees_are_refused(finished: Training, tmp_path: Path) -> None:
    model = load_trees(finished.model_path)
    assert isinstance(model, ReconstructionTrees)
    about = model.about._asdict()
    path = tmp_path / "tampered.skops"
    for held, fault in (
        ({"trees": model.neutrinos[0]}, "it holds no boosted trees"),
        ({"neutrinos": [model.pairs] * 3}, "it holds no boosted trees"),
        ({"neutrinos": model.neutrinos[:2]}, "it holds no trees of three components"),
        ({"about": json.dumps({**about, "features": {}})}, "not a model that this rootflow"),
        (
            {"about": json.dumps({**about, "features": {**about["features"], "met": []}})},
            r"its trees have \d+ columns, not \d+",
        ),
    ):
        whole = {"about": json.dumps(about), "trees": model.pairs, "neutrinos": model.neutrinos}
        skops.io.dump(whole | held, path)
        seal_archive(path)
        with pytest.raises(InputError, match=fault):
            load_trees(path)
