from typing import TYPE_CHECKING

import numpy as np
import pytest

from rootflow.config import FoldingConfig
from rootflow.dataset import Events
from rootflow.errors import InputError
from rootflow.methods.combined import FoldedMethod
from rootflow.methods.conformance import check_method
from rootflow.methods.model import decode

if TYPE_CHECKING:
    from rootflow.methods.trained import TrainedMethod

FOLDS = FoldingConfig(count=3)


@pytest.fixture
def folded(networks: "list[TrainedMethod]") -> FoldedMethod:
    return FoldedMethod("small", networks)


def test_it_keeps_the_contract(folded: FoldedMethod, toys: Events) -> None:
    check_method(folded, toys)


def test_each_event_is_scored_by_the_model_of_its_fold(
    folded: FoldedMethod, networks: "list[TrainedMethod]", toys: Events
) -> None:
    said = folded.answer(toys)
    for fold, network in enumerate(networks):
        own = toys.fold == fold
        np.testing.assert_allclose(said[own], network.answer(toys.take(own)), atol=1e-7)


def test_seen_scores_are_those_of_the_next_fold(
    folded: FoldedMethod, networks: "list[TrainedMethod]", toys: Events
) -> None:
    said = folded.answer_seen(toys)
    for fold, network in enumerate(networks):
        own = toys.fold == (fold - 1) % 3
        assert own.any()
        np.testing.assert_allclose(
            said[own], decode(network.outputs_of_any(toys.take(own)), None), atol=1e-7
        )
        with pytest.raises(InputError, match="was trained on the folds"):
            network.answer(toys.take(own))


def test_features_are_found_by_their_names(folded: FoldedMethod, toys: Events) -> None:
    names = ("eta", "pt", "phi", "energy", "pdg_id")
    other_order = toys.taking(toys.features | {"leptons": names})
    assert other_order.features["leptons"] == names
    np.testing.assert_array_equal(folded.answer(other_order), folded.answer(toys))


def test_events_without_a_feature_are_refused(folded: FoldedMethod, toys: Events) -> None:
    without_pt = toys.taking(toys.features | {"leptons": ("eta", "phi", "energy", "pdg_id")})
    with pytest.raises(InputError, match=r"small.*pt"):
        folded.answer(without_pt)
