from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import norm

from rootflow.checksum import KEY, UNSEALED, seal
from rootflow.config.evaluation import ClassifierPromotionConfig
from rootflow.dataset import Events
from rootflow.errors import ConformanceError, InputError, UsageError
from rootflow.evaluation.classification import Scored, compare, read_scores, write_scores
from rootflow.evaluation.classification.evaluation import ClassificationEvaluation
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.scores import contest, importances
from rootflow.evaluation.paired import Contest
from rootflow.ntuple.columns import structured
from toy_classes import COUNTS, DISTANCE, INPUTS, M4L, SAMPLES, GaussianModel, toy_classes
from toy_scores import FILES, samples_with_files


def test_scores_are_read_as_they_were_written(
    toy_events_of_classes: Events, tmp_path: Path
) -> None:
    events = toy_events_of_classes
    scores = np.linspace(0, 1, len(events))
    scored = [Scored("one", scores, scores), Scored("other", scores[::-1], scores)]
    write_scores(events, samples_with_files(), scored, tmp_path / "scores.parquet", M4L)
    table = read_scores(tmp_path / "scores.parquet", "mine")
    assert table.name == "mine"
    assert table.files == tuple(f"adler32:{name}" for name in FILES)
    assert list(table.starting("score_")) == ["one", "other"]
    np.testing.assert_array_equal(table.columns["score_other"], scores[::-1])
    for name in ("file_index", "event_number", "fold", "label", "weight"):
        np.testing.assert_array_equal(table.columns[name], getattr(events, name))
    np.testing.assert_array_equal(table.columns["m4l"], events.event[:, 1].astype(float))
    sample, label = table.columns["sample"], table.columns["label"]
    assert set(sample[label < 0]) == {"data"}
    assert set(sample[label == 1]) == {"ggH", "VBFH"}


def test_events_are_who_the_ntuple_says(toy_events_of_classes: Events, tmp_path: Path) -> None:
    count = len(toy_events_of_classes)
    events = replace(
        toy_events_of_classes,
        event_number=np.arange(count, dtype=np.int64) - 7,
        identity=structured({"runNumber": np.arange(count) // 9}),
    )
    path = tmp_path / "scores.parquet"
    write_scores(events, samples_with_files(), [Scored("one", events.weight, events.weight)], path)
    for columns in (read_scores(path).columns, pq.read_table(path)):
        np.testing.assert_array_equal(columns["event_number"], events.event_number)
        np.testing.assert_array_equal(columns["identity_runNumber"], np.arange(count) // 9)


def test_file_that_is_no_table_of_scores(tmp_path: Path) -> None:
    text = tmp_path / "text.parquet"
    text.write_text("no table")
    with pytest.raises(InputError, match=r"text.parquet: has no checksum") as caught:
        read_scores(text)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=r"nowhere: cannot be read"):
        read_scores(tmp_path / "missing.parquet", "nowhere")
    other = tmp_path / "other.parquet"
    few = pa.table({"sample": ["ggH"], "label": [1]})
    pq.write_table(few.replace_schema_metadata({KEY: UNSEALED}), other)
    other.write_bytes(seal(other.read_bytes()))
    with pytest.raises(InputError, match=r"as evaluate writes it: it has no column file_index"):
        read_scores(other)


def test_table_that_does_not_say_which_classes_are_signal(
    toy_events_of_classes: Events, tmp_path: Path
) -> None:
    path = tmp_path / "scores.parquet"
    scored = Scored("one", toy_events_of_classes.weight, toy_events_of_classes.weight)
    write_scores(toy_events_of_classes, samples_with_files(), [scored], path)
    older = pq.read_table(path)
    older = older.replace_schema_metadata({"rootflow": '{"files": []}', KEY: UNSEALED})
    pq.write_table(older, path)
    path.write_bytes(seal(path.read_bytes()))
    with pytest.raises(InputError, match=r"it does not say its signals: .*evaluate"):
        read_scores(path)


OF_CONTEST = {"ggH": 700, "VBFH": 300, "ZZ": 800, "ttbar": 200, "data": 30}


def held(events: Events, candidate: Any, champion: Any, **promotion: Any) -> Contest:
    rules = ClassifierPromotionConfig(**promotion)
    return contest(events, SAMPLES, candidate, champion, rules, replicas=200, seed=1)


def test_it_says_what_the_comparison_of_evaluations_says(tmp_path: Path) -> None:
    events = toy_classes(OF_CONTEST)
    models = GaussianModel("a", noise=0.5), GaussianModel("b", noise=1.5)
    nothing = np.full(len(events), np.nan)
    scored = [Scored(model.name, model.answer(events), nothing) for model in models]
    write_scores(events, samples_with_files(), scored, tmp_path / "scores.parquet")
    expected = compare([read_scores(tmp_path / "scores.parquet")], 200, 1).comparison("a", "b")
    found = held(events, *models)
    assert found.gain is not None
    assert found.gain.value == pytest.approx(expected.gain.value)
    # The comparison has the events in another order, so other replicas.
    assert found.gain.error == pytest.approx(expected.gain.error, rel=0.3)
    assert found.p_value == pytest.approx(expected.p_value, abs=0.05)
    assert found.events == 2000  # without data


def test_the_auc_is_that_of_two_gaussians() -> None:
    found = held(toy_classes(OF_CONTEST), GaussianModel("a"), None)
    assert abs(found.candidate.value - norm.cdf(DISTANCE / np.sqrt(2))) < 4 * found.candidate.error
    assert found.gain is None


class WorseAtTwoJets(GaussianModel):
    def _score(self, events: Events, shift: np.ndarray) -> np.ndarray:
        scores = super()._score(events, shift)
        return np.where(events.event[:, 0] == 2, 1 - scores, scores)


def test_a_bin_in_which_it_is_worse_has_a_small_p_value() -> None:
    events = toy_classes(OF_CONTEST)
    edges = {"jet_n": [-0.5, 1.5, 2.5, 9.5]}
    found = held(events, WorseAtTwoJets("a"), GaussianModel("b", noise=3.0), no_regression_in=edges)
    assert [each.p_value == 1 / 201 for each in found.bins] == [False, True, False]
    assert found.bins[1].gain.value < 0


def test_what_cannot_be_compared() -> None:
    events = toy_classes(OF_CONTEST)
    models = GaussianModel("a"), GaussianModel("b")
    with pytest.raises(UsageError, match=r"no_regression_in: 'mass' is none of jet_n, m4l"):
        held(events, *models, no_regression_in={"mass": [0, 1]})
    with pytest.raises(UsageError, match=r"auc does not exist in the bin from 900 to 999"):
        held(events, *models, no_regression_in={"m4l": [0, 900, 999]})

    class Broken(GaussianModel):
        def answer(self, events: Events) -> np.ndarray:
            return 2 + super().answer(events)

    with pytest.raises(ConformanceError, match=r"a: 2000 of 2000 scores are not from 0 to 1"):
        held(events, Broken("a"), GaussianModel("b"))


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
