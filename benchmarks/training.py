"""Training throughput: batches gathered from the dataset on disk against arrays in memory."""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from rootflow.config import load
from rootflow.dataset import build
from rootflow.ntuple import find_files
from rootflow.training.loop import make_trainer
from rootflow.training.samples import Batch
from rootflow.training.trainer import Trainer

REPETITIONS = 5
STEPS = 24


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", default=["data/ttbar/*.root"], help="ntuples or globs")
    parser.add_argument("--config", type=Path, default=Path("configs/ttbar.yaml"))
    arguments = parser.parse_args()
    config = load(
        arguments.config, ["model.architecture=set_transformer", f"training.max_steps={STEPS}"]
    )
    with tempfile.TemporaryDirectory() as directory:
        dataset = build(config.data, {"ttbar": find_files(arguments.files)}, Path(directory))
        trainer = make_trainer(dataset, config, config.data.folds)
        order = trainer.plan.order(0, config.seed)
        in_memory = trainer.task.samples.training.batch(order)
        rate(trainer), rate_in_memory(trainer, in_memory)  # the graphs are made
        pairs = [(rate(trainer), rate_in_memory(trainer, in_memory)) for _ in range(REPETITIONS)]
    print(
        json.dumps(
            {
                "name": "training_set_transformer",
                "value": round(statistics.median(own for own, _ in pairs)),
                "unit": "events/s",
                "reference": "Keras' fit of the same network on arrays in memory",
                "ratio": round(statistics.median(own / theirs for own, theirs in pairs), 3),
            }
        )
    )


def rate(trainer: Trainer) -> float:
    """Return the events per second of some training steps."""
    seconds, events = trainer.seconds, trainer.events
    trainer.epoch(0)
    return (trainer.events - events) / (trainer.seconds - seconds)


def rate_in_memory(trainer: Trainer, batch: Batch) -> float:
    """Return the same of steps on arrays that are in memory."""
    inputs, targets, weight = batch
    started = time.monotonic()
    trainer.model.fit(
        inputs, targets, trainer.plan.batch_size, sample_weight=weight, shuffle=True, verbose=0
    )
    return len(weight) / (time.monotonic() - started)


if __name__ == "__main__":
    main()
