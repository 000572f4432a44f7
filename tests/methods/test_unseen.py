"""No event is scored by a model that trained on it: by event identity, over all folds."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from rootflow.analyses.h4l import H4lConfig
from rootflow.config import FoldsConfig
from rootflow.dataset import Dataset, Events
from rootflow.methods.combined import FoldedMethod
from rootflow.methods.conformance import check_method
from rootflow.methods.contract import Outputs
from rootflow.methods.trained import TrainedMethod
from rootflow.training.fitting import fit
from small_datasets import build

Identities = list[tuple[int, int]]
COUNT = 3


class Trained(NamedTuple):
    """The trainings of all folds, and the events whose features each of them read."""

    dataset: Dataset
    config: H4lConfig
    directories: list[Path]
    read: list[set[tuple[int, int]]]


class Watched:
    """A model that notes which events it scores."""

    def __init__(self, directory: Path, folds: FoldsConfig | None = None) -> None:
        self.model = TrainedMethod.of_training(directory)
        self.name, self.task = self.model.name, self.model.task
        self.parameters = self.model.parameters
        self.folds = folds or self.model.folds
        self.truthful = folds is None
        self.scored: Identities = []

    def outputs(self, events: Events) -> Outputs:
        self.scored += identities(events)
        return (self.model.outputs if self.truthful else self.model.outputs_of_any)(events)

    def outputs_of_any(self, events: Events) -> Outputs:
        self.scored += identities(events)
        return self.model.outputs_of_any(events)


def identities(events: Events) -> Identities:
    return list(zip(events.file_index.tolist(), events.event_number.tolist(), strict=True))


def of_any(directory: Path, events: Events) -> np.ndarray:
    return TrainedMethod.of_training(directory, allow_seen_events=True).answer(events)


def folds(held_out: int) -> FoldsConfig:
    return FoldsConfig(count=COUNT, held_out=held_out)


@pytest.fixture(scope="module")
def trained(h4l_files: dict[str, list[Path]], tmp_path_factory: pytest.TempPathFactory) -> Trained:
    directory = tmp_path_factory.mktemp("unseen")
    config = H4lConfig.model_validate(
        {
            "analysis": "h4l",
            "data": {
                "samples": {"ggH": {"label": "signal"}, "ZZ": {"label": "background"}},
                "weights": {"negative": "keep", "luminosity_fb_inverse": 10},
                "folds": {"count": COUNT},
            },
            "model": {"architecture": "boosted_trees", "trees": 10},
        }
    )
    # Files whose event numbers are the same in part: an identity is more than a number.
    files = {"ggH": h4l_files["ggH"][:2], "ZZ": h4l_files["ZZ"]}
    dataset = build(config.data, files, directory)
    read: list[set[tuple[int, int]]] = []
    original = Dataset.events

    def events(self: Dataset, index: Any = None) -> Events:
        answer = original(self, index)
        if index is not None:
            read[-1].update(identities(answer))
        return answer

    directories = [directory / f"fold{held_out}" for held_out in range(COUNT)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Dataset, "events", events)
        for held_out, folder in enumerate(directories):
            read.append(set())
            fit(dataset, config, folder, lambda *_: None, folds(held_out))
    return Trained(dataset, config, directories, read)


def scored_by_a_model_that_read_it(scorers: list[Watched], trained: Trained) -> int:
    """Return how many of all events are, once every one was scored."""
    events = trained.dataset.events()
    FoldedMethod("trees", scorers).answer(events)
    every = Counter(one for scorer in scorers for one in scorer.scored)
    assert every == Counter(identities(events))
    assert set(every.values()) == {1}
    return sum(
        len(read & set(scorer.scored)) for read, scorer in zip(trained.read, scorers, strict=True)
    )


def test_no_event_is_scored_by_a_model_that_trained_on_it(trained: Trained) -> None:
    scorers = [Watched(directory) for directory in trained.directories]
    events = trained.dataset.events()
    assert set().union(*trained.read) == set(identities(events))
    assert all(len(read) > len(events) / 2 for read in trained.read)
    assert scored_by_a_model_that_read_it(scorers, trained) == 0


def test_models_that_lie_about_their_fold_would_be_found(trained: Trained) -> None:
    rotated = [*trained.directories[1:], trained.directories[0]]
    liars = [Watched(directory, folds(place)) for place, directory in enumerate(rotated)]
    trained = trained._replace(read=[*trained.read[1:], trained.read[0]])
    assert scored_by_a_model_that_read_it(liars, trained) == len(trained.dataset)


def test_seen_scores_are_of_models_that_read_the_event(trained: Trained) -> None:
    scorers = [Watched(directory) for directory in trained.directories]
    FoldedMethod("trees", scorers).answer_seen(trained.dataset.events())
    for read, scorer in zip(trained.read, scorers, strict=True):
        assert set(scorer.scored) <= read


def test_what_is_in_the_held_out_fold_does_not_change_the_model(
    trained: Trained, tmp_path: Path
) -> None:
    held_out = 1

    class Poisoned(Dataset):
        """The same events, those of the held-out fold with other contents."""

        def events(self, index: Any = None) -> Events:
            events = super().events()
            unseen = events.fold == held_out
            assert events.label is not None
            poisoned = replace(
                events,
                leptons=np.where(unseen[:, None, None], np.float32(77), events.leptons),
                event=np.where(unseen[:, None], np.float32(55), events.event),
                label=np.where(unseen, 1 - events.label, events.label),
                weight=np.where(unseen, 9.0, events.weight),
            )
            return poisoned if index is None else poisoned.take(index)

    poisoned = Poisoned(trained.dataset.path, trained.dataset.manifest)
    fit(poisoned, trained.config, tmp_path / "poisoned", lambda *_: None, folds(held_out))
    events = trained.dataset.events()
    said = of_any(tmp_path / "poisoned", events)
    wanted = of_any(trained.directories[held_out], events)
    np.testing.assert_array_equal(said, wanted)
    other = of_any(trained.directories[0], events)
    assert np.abs(other - wanted).max() > 0.01


def test_trainings_keep_the_contract_in_whichever_order(trained: Trained) -> None:
    events = trained.dataset.events()
    folded = FoldedMethod.of_trainings(trained.directories[::-1])
    check_method(folded, events.take(slice(0, 200)))
    own, others = (
        events.take(np.flatnonzero(mask)) for mask in (events.fold == 2, events.fold != 2)
    )
    one = TrainedMethod.of_training(trained.directories[2])
    check_method(one, own.take(slice(0, 200)), seen=others)
    np.testing.assert_allclose(folded.answer(own), one.answer(own), atol=1e-12)
    assert folded.name == "boosted_trees"
