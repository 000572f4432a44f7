from dataclasses import replace
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import scipy.stats
from sklearn.metrics import roc_auc_score

from rootflow.dataset import Events
from rootflow.errors import InputError
from rootflow.evaluation import draw_comparison
from rootflow.evaluation.classification import compare
from rootflow.evaluation.compare import EventTable
from rootflow.ntuple.columns import structured
from toy_classes import GaussianModel, toy_classes
from toy_scores import table_of

REPLICAS = 200


def scores_of(events: Events, noise: float = 0.0) -> np.ndarray:
    return GaussianModel(noise=noise).answer(events)


@pytest.fixture(scope="module")
def events() -> Events:
    counts = {"ggH": 1500, "ZZ": 1500, "data": 50}
    # The same event numbers in both files: only file and number name an event.
    twice = toy_classes(counts)
    half = len(twice) // 2
    return toy_classes(
        counts,
        event_number=np.r_[np.arange(half), np.arange(len(twice) - half)].astype(np.uint64),
        file_index=(np.arange(len(twice)) >= half).astype(np.int32),
    )


@pytest.fixture(scope="module")
def good(events: Events) -> EventTable:
    return table_of(events, "good", network=scores_of(events))


@pytest.fixture(scope="module")
def worse(events: Events) -> EventTable:
    return table_of(events, "worse", network=scores_of(events, noise=1.0))


def test_models_fall_in_auc_as_scikit_learn_computes_it(
    events: Events, good: EventTable, worse: EventTable
) -> None:
    found = compare([worse, good], REPLICAS, seed=1)
    assert [model.name for model in found.models] == ["network:good", "network:worse"]
    assert found.first == "network:worse"
    labelled = events.label >= 0
    assert found.events == np.sum(labelled)
    for model, table in zip(found.models, (good, worse), strict=True):
        scores = table.columns["score_network"]
        expected = roc_auc_score(
            events.label[labelled], scores[labelled], sample_weight=events.weight[labelled]
        )
        assert model.metrics["auc"].value == pytest.approx(expected, abs=1e-12)


def test_differences_know_that_events_are_the_same(good: EventTable, worse: EventTable) -> None:
    found = compare([good, worse], REPLICAS, seed=1)
    better = found.comparison("network:good", "network:worse")
    assert better.gain.value > 5 * better.gain.error
    assert better.p_value == 1 / (REPLICAS + 1)
    assert found.comparison("network:worse", "network:good").p_value == 1
    apart = np.hypot(*(model.metrics["auc"].error for model in found.models))
    assert better.gain.error < apart  # what events do to both does not count


def test_p_value_is_that_of_a_gaussian_difference(events: Events) -> None:
    random = np.random.default_rng(3)
    one, other = (scores_of(events) + 0.05 * random.normal(size=len(events)) for _ in range(2))
    found = compare([table_of(events, "a", one=one, other=other)], 2000, seed=1)
    difference = found.comparison("one", "other")
    z = difference.gain.value / difference.gain.error
    assert difference.p_value == pytest.approx(scipy.stats.norm.sf(z), abs=0.04)
    assert difference.p_value + found.comparison("other", "one").p_value == pytest.approx(
        1, abs=1e-3
    )


def test_order_of_events_does_not_count(
    events: Events, good: EventTable, worse: EventTable
) -> None:
    shuffled = events.take(np.random.default_rng(1).permutation(len(events)))
    again = table_of(shuffled, "worse", network=scores_of(shuffled, noise=1.0))
    assert compare([good, again], REPLICAS, seed=1) == compare([good, worse], REPLICAS, seed=1)


def test_numbers_with_a_sign_are_the_same_events_as_their_bits_without(events: Events) -> None:
    negative = events.event_number.astype(np.int64) - 100
    tables = []
    for name, numbers in (("signed", negative), ("unsigned", negative.astype(np.uint64))):
        numbered = replace(events, event_number=numbers)
        tables.append(table_of(numbered, name, network=scores_of(events)))
    (model,) = compare(tables, 5, seed=1).models
    assert model.evaluations == ("signed", "unsigned")


def test_events_of_one_number_are_told_by_their_run(events: Events) -> None:
    """One file of two runs with the same numbers."""
    run = events.file_index + 5
    one_file = replace(
        events, file_index=np.zeros_like(run), identity=structured({"run": run, "channel": run})
    )
    shuffled = one_file.take(np.random.default_rng(2).permutation(len(run)))
    first = table_of(one_file, "first", network=scores_of(one_file))
    again = table_of(shuffled, "again", network=scores_of(shuffled))
    del again.columns["identity_channel"]  # from before the map said it
    (model,) = compare([first, again], 5, seed=1).models
    assert model.evaluations == ("first", "again")


def test_the_same_scores_in_two_tables_are_one_model(events: Events, good: EventTable) -> None:
    both = table_of(events, "both", network=scores_of(events), other=scores_of(events, 0.5))
    found = compare([good, both], REPLICAS, seed=1)
    assert [(model.name, model.evaluations) for model in found.models] == [
        ("network", ("good", "both")),
        ("other", ("both",)),
    ]
    first, second = found.tables()[0].as_rows()
    assert first["runs"] == "good, both"
    assert first["below_best"] is None
    assert second["below_best"] == -second["above_first"] > 0


def test_other_data_do_not_matter_but_other_events_do(events: Events, good: EventTable) -> None:
    simulated = events.take(events.label >= 0)
    compare([good, table_of(simulated, "less", m=scores_of(simulated, 1.0))], 5, seed=1)
    fewer = simulated.take(slice(0, 2000))
    with pytest.raises(
        InputError,
        match=r"good and few .* 3,000 and 2,000 events with truth, 2,000 of them the same",
    ):
        compare([good, table_of(fewer, "few", m=scores_of(fewer))], 5, seed=1)


def test_other_weights_are_refused(events: Events, good: EventTable) -> None:
    twice = table_of(events, "twice", m=scores_of(events))
    twice.columns["weight"] = 2 * events.weight
    with pytest.raises(InputError, match=r"good and twice .* 3,000 of .* have another weight"):
        compare([good, twice], 5, seed=1)


def test_figure(good: EventTable, worse: EventTable, tmp_path: Path) -> None:
    found = compare([good, worse], 5, seed=1)
    paths = draw_comparison(found, tmp_path / "comparison.png")
    assert [path.name for path in paths] == ["comparison.png", "comparison.pdf"]
    assert matplotlib.image.imread(paths[0])[..., :3].std() > 0.05
