from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rootflow.config import FoldsConfig
from rootflow.dataset import Events
from rootflow.errors import InputError, UsageError
from rootflow.methods.conformance import check_method
from toy_events import FEATURES

if TYPE_CHECKING:
    from rootflow.methods.combined import FoldedMethod
    from rootflow.methods.trained import TrainedMethod

COUNT = 3


@pytest.fixture(scope="module")
def networks() -> "list[TrainedMethod]":
    """Return networks that differ, one for each fold."""
    from rootflow.methods.trained import TrainedMethod
    from small_network import small_network

    def network(fold: int) -> TrainedMethod:
        model = small_network(momenta=lambda momenta: momenta + 100.0 * fold)
        return TrainedMethod("small", model, FoldsConfig(count=COUNT, held_out=fold), FEATURES)

    return [network(fold) for fold in range(COUNT)]


@pytest.fixture(scope="module")
def folded(networks: "list[TrainedMethod]") -> "FoldedMethod":
    from rootflow.methods.combined import FoldedMethod

    return FoldedMethod("small", networks)


@pytest.fixture(scope="module")
def few(real_events: Events) -> Events:
    return real_events.take(slice(600, 1500))  # one of them has a jet in each slot


def test_it_keeps_the_contract(folded: "FoldedMethod", few: Events) -> None:
    check_method(folded, few)


def test_each_event_is_reconstructed_by_the_network_that_has_not_seen_it(
    folded: "FoldedMethod", networks: "list[TrainedMethod]", few: Events
) -> None:
    from rootflow.dataset.folds import fold_of

    said = folded.answer(few)
    assert said.neutrinos is not None
    fold = fold_of(few.event_number, folded.folds)
    for place, network in enumerate(networks):
        alone = network.answer(few.take(fold == place))
        np.testing.assert_array_equal(said.assignment[fold == place], alone.assignment)
        assert alone.neutrinos is not None
        np.testing.assert_allclose(said.neutrinos[fold == place], alone.neutrinos, atol=1e-4)
        with pytest.raises(InputError, match=f"it may be applied to fold {place}"):
            network.answer(few)


def test_networks_in_other_places_are_refused(networks: "list[TrainedMethod]") -> None:
    from rootflow.methods.combined import FoldedMethod

    with pytest.raises(
        UsageError, match=r"the model for fold 0 of 3 .* was trained without fold 1 of 3"
    ):
        FoldedMethod("small", [*networks[1:], networks[0]])
    with pytest.raises(UsageError, match="2 models for 3 folds"):
        FoldedMethod("small", networks[:2])
    with pytest.raises(UsageError, match="no model"):
        FoldedMethod("small", [])


def test_what_is_no_training_is_refused(tmp_path: Path) -> None:
    from rootflow.methods.combined import FoldedMethod

    with pytest.raises(InputError, match="no training is named"):
        FoldedMethod.of_trainings([])
    with pytest.raises(InputError, match="no finished training"):
        FoldedMethod.of_trainings([tmp_path])
