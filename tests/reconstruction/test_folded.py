from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rootflow.config import FoldsConfig
from rootflow.dataset import Events
from rootflow.errors import InputError, UsageError
from rootflow.reconstruction import conformance
from toy_events import FEATURES

if TYPE_CHECKING:
    from rootflow.reconstruction.folded import FoldedReconstructor
    from rootflow.reconstruction.network import KerasReconstructor

COUNT = 3


@pytest.fixture(scope="module")
def networks() -> "list[KerasReconstructor]":
    """Return networks that differ, one for each fold."""
    from rootflow.reconstruction.network import KerasReconstructor
    from small_network import small_network

    def network(fold: int) -> KerasReconstructor:
        model = small_network(momenta=lambda momenta: momenta + 100.0 * fold)
        return KerasReconstructor("small", model, FoldsConfig(count=COUNT, held_out=fold), FEATURES)

    return [network(fold) for fold in range(COUNT)]


@pytest.fixture(scope="module")
def folded(networks: "list[KerasReconstructor]") -> "FoldedReconstructor":
    from rootflow.reconstruction.folded import FoldedReconstructor

    return FoldedReconstructor("small", networks)


@pytest.fixture(scope="module")
def few(real_events: Events) -> Events:
    return real_events.take(slice(600, 1500))  # one of them has a jet in each slot


def test_it_keeps_the_contract(folded: "FoldedReconstructor", few: Events) -> None:
    conformance.check(folded, few)


def test_each_event_is_reconstructed_by_the_network_that_has_not_seen_it(
    folded: "FoldedReconstructor", networks: "list[KerasReconstructor]", few: Events
) -> None:
    from rootflow.dataset.folds import fold_of

    said = folded.reconstruct(few)
    assert said.neutrinos is not None
    fold = fold_of(few.event_number, folded.folds)
    for place, network in enumerate(networks):
        alone = network.reconstruct(few.take(fold == place))
        np.testing.assert_array_equal(said.assignment[fold == place], alone.assignment)
        assert alone.neutrinos is not None
        np.testing.assert_allclose(said.neutrinos[fold == place], alone.neutrinos, atol=1e-4)
        with pytest.raises(InputError, match=f"it may be applied to fold {place}"):
            network.reconstruct(few)


def test_networks_in_other_places_are_refused(networks: "list[KerasReconstructor]") -> None:
    from rootflow.reconstruction.folded import FoldedReconstructor

    with pytest.raises(
        UsageError, match=r"the model for fold 0 of 3 .* was trained without fold 1 of 3"
    ):
        FoldedReconstructor("small", [*networks[1:], networks[0]])
    with pytest.raises(UsageError, match="2 models for 3 folds"):
        FoldedReconstructor("small", networks[:2])
    with pytest.raises(UsageError, match="no model"):
        FoldedReconstructor("small", [])


def test_what_is_no_training_is_refused(tmp_path: Path) -> None:
    from rootflow.reconstruction.folded import FoldedReconstructor

    with pytest.raises(InputError, match="no training is named"):
        FoldedReconstructor.of_trainings([])
    with pytest.raises(InputError, match="no finished training"):
        FoldedReconstructor.of_trainings([tmp_path])
