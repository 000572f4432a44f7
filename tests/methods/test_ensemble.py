from typing import TYPE_CHECKING

import numpy as np
import pytest

from rootflow.config import EvaluationConfig, FoldsConfig
from rootflow.dataset import Events
from rootflow.errors import InputError, UsageError
from rootflow.methods.conformance import check_method
from rootflow.methods.contract import Reconstructor
from rootflow.methods.make import make
from rootflow.methods.reconstruction.baselines import TruthReconstructor
from toy_events import FEATURES

if TYPE_CHECKING:
    from rootflow.methods.trained import TrainedMethod

FOLDS = FoldsConfig(count=5, held_out=0)
SETTINGS = {"method": "ensemble", "name": "mean", "of": ["model", "other"]}
OTHER = {"method": "variant", "name": "other", "settings": {"seed": 2}}


@pytest.fixture(scope="module")
def members() -> "list[TrainedMethod]":
    from rootflow.methods.trained import TrainedMethod
    from small_network import small_network

    return [
        TrainedMethod(
            name, small_network(momenta=lambda momenta, by=by: momenta + by), FOLDS, FEATURES
        )
        for name, by in (("small", 0.0), ("other", 10.0))
    ]


@pytest.fixture(scope="module")
def unseen(real_events: Events) -> Events:
    return real_events.take(real_events.fold == 0).take(slice(0, 1500))


def ensemble(members: "list[TrainedMethod]") -> Reconstructor:
    methods = EvaluationConfig(methods=[OTHER, SETTINGS]).methods
    return make(methods, 1, members[0], {"other": members[1]})[-1]


def test_it_keeps_the_contract(members: "list[TrainedMethod]", unseen: Events) -> None:
    check_method(ensemble(members), unseen)


def test_probabilities_and_momenta_are_the_means_of_the_networks(
    members: "list[TrainedMethod]", unseen: Events
) -> None:
    few = unseen.take(slice(0, 100))
    said = ensemble(members).answer(few)
    first, second = (member._model.predict(few.inputs(), verbose=0) for member in members)
    mean = (first["assignment"] + second["assignment"]) / 2
    np.testing.assert_allclose(said.scores, mean.max(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(
        said.neutrinos, (first["neutrinos"] + second["neutrinos"]) / 2, rtol=1e-4, atol=1e-3
    )


def test_events_that_a_network_was_trained_on_are_refused(
    members: "list[TrainedMethod]", real_events: Events
) -> None:
    with pytest.raises(InputError, match="may be applied to fold 0"):
        ensemble(members).answer(real_events.take(slice(0, 100)))


def test_it_is_made_of_networks_alone(members: "list[TrainedMethod]") -> None:
    methods = EvaluationConfig(methods=["m_lb", SETTINGS | {"of": ["model", "m_lb"]}]).methods
    with pytest.raises(UsageError, match="m_lb is no trained model"):
        make(methods, 1, members[0])
    with pytest.raises(UsageError, match="truth is no trained model"):
        make(methods, 1, TruthReconstructor())
