"""Two classifiers in AUC, against the comparison of evaluations and a closed form."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from rootflow.dataset import Events
from rootflow.errors import ConformanceError, UsageError
from rootflow.evaluation.classification import Scored, compare, read_scores, write_scores
from rootflow.evaluation.classification.contest import contest
from rootflow.evaluation.contest import Contest
from toy_classes import DISTANCE, SAMPLES, GaussianModel, toy_classes
from toy_scores import samples_with_files

COUNTS = {"ggH": 700, "VBFH": 300, "ZZ": 800, "ttbar": 200, "data": 30}


def held(events: Events, candidate: Any, champion: Any, **more: Any) -> Contest:
    settings = {"least_gain": 0.0, "edges": {}, "replicas": 200, "seed": 1}
    return contest(events, SAMPLES, candidate, champion, **settings | more)


def test_it_says_what_the_comparison_of_evaluations_says(tmp_path: Path) -> None:
    events = toy_classes(COUNTS)
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
    found = held(toy_classes(COUNTS), GaussianModel("a"), None)
    assert abs(found.candidate.value - norm.cdf(DISTANCE / np.sqrt(2))) < 4 * found.candidate.error
    assert found.gain is None


class WorseAtTwoJets(GaussianModel):
    def _score(self, events: Events, shift: np.ndarray) -> np.ndarray:
        scores = super()._score(events, shift)
        return np.where(events.event[:, 0] == 2, 1 - scores, scores)


def test_a_bin_in_which_it_is_worse_has_a_small_p_value() -> None:
    events = toy_classes(COUNTS)
    edges = {"jet_n": [-0.5, 1.5, 2.5, 9.5]}
    found = held(events, WorseAtTwoJets("a"), GaussianModel("b", noise=3.0), edges=edges)
    assert [each.p_value == 1 / 201 for each in found.bins] == [False, True, False]
    assert found.bins[1].gain.value < 0


def test_what_cannot_be_compared() -> None:
    events = toy_classes(COUNTS)
    models = GaussianModel("a"), GaussianModel("b")
    with pytest.raises(UsageError, match=r"no_regression_in: 'mass' is none of jet_n, m4l"):
        held(events, *models, edges={"mass": [0, 1]})
    with pytest.raises(UsageError, match=r"auc does not exist in the bin from 900 to 999"):
        held(events, *models, edges={"m4l": [0, 900, 999]})

    class Broken(GaussianModel):
        def answer(self, events: Events) -> np.ndarray:
            return 2 + super().answer(events)

    with pytest.raises(ConformanceError, match=r"a: 2000 of 2000 scores are not from 0 to 1"):
        held(events, Broken("a"), GaussianModel("b"))
