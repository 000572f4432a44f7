"""Events and networks to try the layers on."""

import numpy as np
import pytest

from rootflow.config.model import (
    BinnedNeutrinosConfig,
    CrossAttentionConfig,
    FeedForwardConfig,
    FlowNeutrinosConfig,
    ModelConfig,
    OwnReconstructionNetworkConfig,
    RecurrentConfig,
    SetTransformerConfig,
)
from rootflow.dataset import Events
from rootflow.models.normalisation import Normalisation, fit_normalisation

SMALL = {"width": 16, "depth": 2, "heads": 2}
# Networks that take the jets as a set.
SETS: dict[str, ModelConfig] = {
    "set_transformer": SetTransformerConfig(architecture="set_transformer", **SMALL),
    "induced": SetTransformerConfig(
        architecture="set_transformer", inducing_points=3, pooling_seeds=2, **SMALL
    ),
    "cross_attention": CrossAttentionConfig(architecture="cross_attention", **SMALL),
}


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
        *SETS.values(),
        RecurrentConfig(architecture="recurrent", width=16, depth=2),
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
        OwnReconstructionNetworkConfig(architecture="own_network:tokens", settings={"width": 6}),
    ],
    ids=["feed_forward", *SETS, "recurrent", "binned", "flow", "own"],
)
def architecture(request: pytest.FixtureRequest) -> ModelConfig:
    """Return the settings of a small network of each architecture."""
    return request.param


@pytest.fixture(params=SETS.values(), ids=SETS)
def set_architecture(request: pytest.FixtureRequest) -> ModelConfig:
    """Return the settings of a small network of each architecture that takes sets."""
    return request.param
