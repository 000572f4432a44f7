from collections.abc import Callable

import numpy as np
import pytest

from rootflow.analyses.ttbar import TtbarConfig
from rootflow.dataset import Dataset
from rootflow.training.checkpoint import restore, state
from rootflow.training.trainer import Steps, Trainer

MakeConfig = Callable[..., TtbarConfig]

# So often TensorFlow has run each graph when it begins to run it in another order.
TIMES = 120
FLOW = {"head": "flow", "layers": 2, "width": 8, "bins": 4, "samples": 4}


@pytest.mark.parametrize("architecture", ["feed_forward", "set_transformer"])
def test_the_same_step_gives_the_same_weights_every_time(
    small_dataset: Dataset, make_config: MakeConfig, architecture: str
) -> None:
    small = {"set_transformer": {"width": 8, "depth": 1, "heads": 2}}.get(architecture, {})
    model = {"architecture": architecture, "neutrinos": FLOW, "confidence": True} | small
    config = make_config(model, learning_rate=1e-2)
    trainer = Trainer(small_dataset, config, config.data.folds.in_turn()[0])
    batch = trainer.task.samples.training.batch(np.arange(128))
    steps = Steps(trainer.model)
    for _ in range(3):  # away from weights of zero
        steps.train(batch)
    start = state(trainer.model)
    seen = set()
    for _ in range(TIMES):
        restore(trainer.model, start)
        steps.train(batch)
        seen.add(b"".join(np.array(v).tobytes() for v in trainer.model.trainable_variables))
    assert len(seen) == 1
