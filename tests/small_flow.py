"""A network whose neutrinos are a flow, small and untrained."""

from typing import TYPE_CHECKING

import numpy as np

from rootflow.config import FoldsConfig
from rootflow.config.model import FeedForwardConfig, FlowNeutrinosConfig
from rootflow.dataset import Events

if TYPE_CHECKING:
    from rootflow.methods.trained import TrainedMethod


def network_with_a_flow(events: Events, folds: FoldsConfig, seed: int) -> "TrainedMethod":
    import keras

    from rootflow.methods.trained import TrainedMethod
    from rootflow.models.architectures import build_model
    from rootflow.models.normalisation import fit_normalisation

    keras.utils.set_random_seed(seed)
    flow = FlowNeutrinosConfig(head="flow", layers=2, width=8, bins=4, samples=4)
    config = FeedForwardConfig(architecture="feed_forward", width=16, depth=1, neutrinos=flow)
    normalisation = fit_normalisation([(events, np.ones(len(events)))])
    model = build_model(config, events.features, 8, normalisation)
    return TrainedMethod("flow", model, folds, events.features)
