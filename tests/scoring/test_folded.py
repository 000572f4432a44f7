from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rootflow.config import FoldingConfig
from rootflow.dataset import Events
from rootflow.errors import InputError, UsageError
from rootflow.scoring import FoldedScorer
from rootflow.scoring.conformance import check_scorer

if TYPE_CHECKING:
    from rootflow.scoring.network import KerasScorer

FOLDS = FoldingConfig(count=3)


@pytest.fixture
def folded(networks: "list[KerasScorer]") -> FoldedScorer:
    return FoldedScorer("small", networks, FOLDS)


def test_it_keeps_the_contract(folded: FoldedScorer, toys: Events) -> None:
    check_scorer(folded, toys)


def test_each_event_is_scored_by_the_model_of_its_fold(
    folded: FoldedScorer, networks: "list[KerasScorer]", toys: Events
) -> None:
    said = folded.score(toys)
    for fold, network in enumerate(networks):
        own = toys.fold == fold
        np.testing.assert_allclose(said[own], network.score(toys.take(own)), atol=1e-7)


def test_seen_scores_are_those_of_the_next_fold(
    folded: FoldedScorer, networks: "list[KerasScorer]", toys: Events
) -> None:
    said = folded.score_seen(toys)
    assert toys.label is not None
    assert np.array_equal(np.isnan(said), toys.label == -1)
    for fold, network in enumerate(networks):
        own = (toys.fold == (fold - 1) % 3) & (toys.label >= 0)
        assert own.any()
        np.testing.assert_allclose(said[own], network.score_seen(toys.take(own)), atol=1e-7)
        with pytest.raises(InputError, match="was trained on the folds"):
            network.score(toys.take(own))


def test_rotated_models_are_refused(networks: "list[KerasScorer]") -> None:
    with pytest.raises(
        UsageError, match=r"the model for fold 0 of 3 .* was trained without fold 1"
    ):
        FoldedScorer("small", [*networks[1:], networks[0]], FOLDS)


def test_other_foldings_are_refused(networks: "list[KerasScorer]") -> None:
    with pytest.raises(UsageError, match="3 models for 4 folds"):
        FoldedScorer("small", networks, FoldingConfig(count=4))
    with pytest.raises(UsageError, match=r"of 2 .parity. was trained without fold 0 of 3"):
        FoldedScorer("small", networks[:2], FoldingConfig(count=2, scheme="parity"))


def test_other_features_are_refused(folded: FoldedScorer, toys: Events) -> None:
    features = toys.features | {"leptons": ("eta", "pt", "phi", "energy", "pdg_id")}
    with pytest.raises(InputError, match=r"small takes .*leptons: pt, eta"):
        folded.score(replace(toys, features=features))


def test_no_trainings_are_refused() -> None:
    with pytest.raises(InputError, match="no training is named"):
        FoldedScorer.of_trainings([])
