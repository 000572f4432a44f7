"""Events and networks to try the layers on."""

import numpy as np
import pytest

from rootflow.config import (
    BinnedNeutrinosConfig,
    FeedForwardConfig,
    FlowNeutrinosConfig,
    ModelConfig,
    SetTransformerConfig,
)
from rootflow.dataset import Events
from rootflow.models import Normalisation, fit_normalisation


@pytest.fixture(scope="session")
def few_events(real_events: Events) -> Events:
    """Return 300 events of simulated ttbar."""
    return real_events.take(slice(0, 300))


@pytest.fixture(scope="session")
def normalisation(few_events: Events) -> Normalisation:
    """Return the normalisation of those events."""
    return fit_normalisation([(few_events, np.ones(len(few_events)))])


@pytest.fixture(
    params=[
        FeedForwardConfig(architecture="feed_forward", width=32, depth=2),
        SetTransformerConfig(architecture="set_transformer", width=16, depth=2, heads=2),
        FeedForwardConfig(
            architecture="feed_forward",
            width=32,
            depth=2,
            neutrinos=BinnedNeutrinosConfig(head="binned", bins=12),
        ),
        FeedForwardConfig(
            architecture="feed_forward",
            width=32,
            depth=2,
            neutrinos=FlowNeutrinosConfig(head="flow", layers=3, width=16, bins=4, samples=8),
            confidence=True,
        ),
    ],
    ids=lambda config: f"{config.architecture}-{config.neutrinos.head}",
)
def architecture(request: pytest.FixtureRequest) -> ModelConfig:
    """Return the settings of a small network of each architecture."""
    return request.param
