from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rootflow.config import FoldsConfig
from rootflow.config.model import FeedForwardConfig
from rootflow.dataset import Events
from rootflow.errors import InputError
from rootflow.methods.conformance import check_method
from rootflow.training.record import Record, write_record
from toy_events import FEATURES, toy_events

if TYPE_CHECKING:
    from rootflow.methods.trained import TrainedMethod

FOLDS = FoldsConfig(count=5, held_out=0)


@pytest.fixture(scope="module")
def reconstructor() -> "TrainedMethod":
    from rootflow.methods.trained import TrainedMethod
    from small_network import small_network

    return TrainedMethod("small", small_network(), FOLDS, FEATURES)


@pytest.fixture(scope="module")
def unseen(real_events: Events) -> Events:
    return real_events.take(real_events.fold == 0)


def test_it_keeps_the_contract(reconstructor: "TrainedMethod", unseen: Events) -> None:
    check_method(reconstructor, unseen.take(slice(0, 1500)))


def test_it_says_what_the_model_predicts(reconstructor: "TrainedMethod", unseen: Events) -> None:
    from small_network import small_network

    few = unseen.take(slice(0, 50))
    answers = reconstructor.answer(few)
    outputs = small_network().predict(few.inputs(), verbose=0)
    np.testing.assert_allclose(answers.neutrinos, outputs["neutrinos"], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(answers.scores, outputs["assignment"].max(axis=(1, 2)), rtol=1e-5)


def test_events_of_the_training_are_refused(
    reconstructor: "TrainedMethod", real_events: Events
) -> None:
    few = real_events.take(slice(0, 200))
    seen = np.sum(few.fold != 0)
    with pytest.raises(
        InputError,
        match=rf"small was trained on the folds of {seen} of these 200 events "
        r"\(folds 1, 2, 3, 4 of 5, hash\); it may be applied to fold 0",
    ):
        reconstructor.answer(few)


def test_events_of_the_training_by_name(
    reconstructor: "TrainedMethod", real_events: Events
) -> None:
    from rootflow.methods.trained import TrainedMethod
    from small_network import small_network

    anywhere = TrainedMethod("small", small_network(), FOLDS, FEATURES, allow_seen_events=True)
    few = real_events.take(slice(0, 200))
    answers = anywhere.answer(few)
    held_out = reconstructor.answer(few.take(few.fold == 0))
    np.testing.assert_array_equal(answers.assignment[few.fold == 0], held_out.assignment)


def test_another_number_of_slots_is_refused(reconstructor: "TrainedMethod") -> None:
    with pytest.raises(InputError, match="small takes 8 jet slots, these events have 6"):
        reconstructor.answer(toy_events(10, max_jets=6))


def test_other_features_are_refused(reconstructor: "TrainedMethod", unseen: Events) -> None:
    other = Events(features=FEATURES | {"met": ("pt", "angle")}, **unseen.arrays())
    with pytest.raises(InputError, match=r"met: pt, phi; these events have .* met: pt, angle"):
        reconstructor.answer(other)


def test_a_training_says_what_it_may_be_applied_to(real_events: Events, tmp_path: Path) -> None:
    from rootflow.methods.trained import TrainedMethod
    from rootflow.models.saving import save_model
    from small_network import small_network

    save_model(small_network(), tmp_path / "model.keras")
    record = Record(
        question="question",
        dataset="dataset",
        task="reconstruction",
        folds=FoldsConfig(count=5, held_out=3),
        model=FeedForwardConfig(architecture="feed_forward", name="mine"),
        model_file="model.keras",
        features=FEATURES,
        max_jets=8,
        history=[],
        facts={},
    )
    write_record(record, tmp_path)
    trained = TrainedMethod.of_training(tmp_path)
    assert trained.name == "mine"
    assert np.all(trained.answer(real_events.take(real_events.fold == 3)).solved)
    few = real_events.take(slice(0, 20))
    with pytest.raises(InputError, match=r"mine was trained .* it may be applied to fold 3"):
        trained.answer(few)
    anywhere = TrainedMethod.of_training(tmp_path, allow_seen_events=True)
    assert len(anywhere.answer(few).solved) == 20


def test_a_training_that_is_not_finished_is_refused(tmp_path: Path) -> None:
    from rootflow.methods.trained import TrainedMethod

    with pytest.raises(InputError, match=r"no finished training: there is no training\.json"):
        TrainedMethod.of_training(tmp_path)
