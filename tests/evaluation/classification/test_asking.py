from collections.abc import Callable

import numpy as np
import pytest

from rootflow.dataset import Events
from rootflow.evaluation.classification.asking import importances
from rootflow.evaluation.classification.evaluation import ClassificationEvaluation
from rootflow.evaluation.classification.labelled import Labelled
from toy_classes import COUNTS, INPUTS, M4L, SAMPLES, GaussianModel, toy_classes


class Watching(GaussianModel):
    """It keeps the events that it was asked of."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Events] = []

    def answer(self, events: Events) -> np.ndarray:
        self.asked.append(events)
        return super().answer(events)


@pytest.fixture(scope="module")
def simulation() -> Labelled:
    return Labelled.of(toy_classes(COUNTS), SAMPLES, M4L).simulation()


def test_the_only_input_is_all_and_noise_is_nothing(
    classification: ClassificationEvaluation,
) -> None:
    for model in classification.models:
        first, *others = model.importance
        assert (first.collection, first.feature) == ("event", "x")
        expected = model.ranking.auc.value - 0.5
        assert first.drop.value == pytest.approx(expected, abs=4 * first.drop.error)
        assert {other.feature for other in others} == {"noise", "pt"}
        assert all(other.drop.value == 0 for other in others)


def test_one_input_is_permuted_within_its_fold(simulation: Labelled) -> None:
    model = Watching()
    inputs = {"leptons": ["pt", "eta"], "event": ["x"]}
    importances([model], {"network": model.answer(simulation.events)}, simulation, inputs, 10**6, 1)
    before = simulation.events
    _, pt, eta, x = model.asked
    for after, changed in ((pt, ("leptons", 0)), (eta, ("leptons", 1)), (x, ("event", 2))):
        np.testing.assert_array_equal(after.event_number, before.event_number)
        for collection in ("leptons", "event"):
            for column in range(getattr(before, collection).shape[-1]):
                old = getattr(before, collection)[..., column]
                new = getattr(after, collection)[..., column]
                assert np.array_equal(old, new) == ((collection, column) != changed)
    for fold in range(5):
        among = before.fold == fold
        # All four leptons together come from another event of the same fold.
        old, new = before.leptons[among][..., 0], pt.leptons[among][..., 0]
        np.testing.assert_array_equal(np.sort(old, axis=0)[:, 0], np.sort(new, axis=0)[:, 0])
        assert set(map(tuple, old.tolist())) == set(map(tuple, new.tolist()))


def test_no_more_events_than_asked_for(simulation: Labelled) -> None:
    model = Watching()
    (found,) = importances(
        [model], {"network": model.answer(simulation.events)}, simulation, INPUTS, 500, 1
    )
    assert [len(events) for events in model.asked[1:]] == [500, 500, 500]
    assert found[0].drop.error > 0.01


def test_error_is_the_spread_of_independent_samples() -> None:
    fewer = {name: count // 5 for name, count in COUNTS.items()}
    model, found = GaussianModel(), []
    for seed in range(100):
        simulation = Labelled.of(toy_classes(fewer, seed), SAMPLES).simulation()
        scores = {"network": model.answer(simulation.events)}
        found.append(importances([model], scores, simulation, INPUTS, 10**6, seed)[0][0].drop)
    errors = np.mean([each.error for each in found])
    assert errors == pytest.approx(np.std([each.value for each in found]), rel=0.25)


def test_drops_fall(evaluated: Callable) -> None:
    class TwoInputs(GaussianModel):
        def answer(self, events: Events) -> np.ndarray:
            x, noise = events.event[:, 2].astype(float), events.event[:, 3].astype(float)
            return 1 / (1 + np.exp(-(x + noise)))

        answer_seen = answer

    (model,) = evaluated(toy_classes(COUNTS), TwoInputs(), score_bins=5).models
    drops = [each.drop.value for each in model.importance]
    assert drops == sorted(drops, reverse=True)
    # Without the noise it would be better.
    assert model.importance[-1].feature in ("noise", "pt")
