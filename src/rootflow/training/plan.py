"""How many steps a training takes, and which events are in them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config import TrainingConfig

STEPS_OF_A_TRIAL = 4


class Plan(NamedTuple):
    """The steps of a training on n events, epoch by epoch.

    Attributes
    ----------
    events
        Events of a whole epoch.
    batch_size
        Events of a step.
    steps
        Steps of all epochs together: the last epoch may be cut short.
    """

    events: int
    batch_size: int
    steps: int

    @property
    def steps_per_epoch(self) -> int:
        """Steps of a whole epoch."""
        return -(-self.events // self.batch_size)

    @property
    def epochs(self) -> int:
        """Epochs, the one cut short included."""
        return -(-self.steps // self.steps_per_epoch)

    def order(self, epoch: int, seed: int) -> NDArray[np.int64]:
        """Return which events an epoch takes, in their order: a matter of seed and epoch."""
        steps = self.steps - epoch * self.steps_per_epoch
        shuffled = np.random.default_rng([seed, epoch]).permutation(self.events)
        return shuffled[: steps * self.batch_size]


def make_plan(config: TrainingConfig, events: int) -> Plan:
    """Return the plan of a training on so many events."""
    steps_per_epoch = -(-events // config.batch_size)
    steps = config.epochs * steps_per_epoch
    if config.max_steps is not None:
        steps = min(steps, config.max_steps)
    if config.fast_dev_run:
        steps = min(steps, steps_per_epoch, STEPS_OF_A_TRIAL)
    return Plan(events, config.batch_size, steps)
