"""Training events per CPU second: trimmed batches against Keras' fit on padded arrays.

A CPU second is one of the process, user and system, of all threads together
(`time.process_time`): unlike wall time it does not depend on what else the machine does.
What is measured are whole epochs of training steps, the gathering of batches from the dataset
on disk included, after one epoch in which the graphs are traced. The reference is the same
network, losses and optimizer in Keras' own `fit`, on some of the events, padded, in memory.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from rootflow.config import load
from rootflow.dataset import build
from rootflow.dataset.readings.dilepton import Dilepton
from rootflow.formats import find_files
from rootflow.training.samples import Batch
from rootflow.training.trainer import Trainer

REPETITIONS = 3
PADDED_EVENTS = 4096


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", default=["data/ttbar/*.root"], help="ntuples or globs")
    parser.add_argument("--config", type=Path, default=Path("configs/ttbar.yaml"))
    arguments = parser.parse_args()
    config = load(arguments.config)
    with tempfile.TemporaryDirectory() as directory:
        dataset = build(
            config.data,
            {"ttbar": find_files(arguments.files)},
            Path(directory),
            Dilepton.of(config.data),
        )
        trainer = Trainer(dataset, config, config.data.folds.in_turn()[0])
        some = trainer.schedule.order(0, config.seed)[:PADDED_EVENTS]
        padded = trainer.task.samples.training.batch(some)
        rate(trainer), rate_padded(trainer, padded)  # the graphs are traced
        pairs = [(rate(trainer), rate_padded(trainer, padded)) for _ in range(REPETITIONS)]
    print(
        json.dumps(
            {
                "name": f"training_{config.model.architecture}",
                "parameters": trainer.task.network.count_params(),
                "value": round(statistics.median(own for own, _ in pairs)),
                "unit": "events/CPU second",
                "reference": "Keras' fit of the same network on padded arrays in memory",
                "ratio": round(statistics.median(own / theirs for own, theirs in pairs), 3),
            }
        )
    )


def rate(trainer: Trainer) -> float:
    """Return the events per CPU second of an epoch's training steps."""
    seconds, events = trainer.cpu_seconds, trainer.events
    trainer.epoch(0)
    return (trainer.events - events) / (trainer.cpu_seconds - seconds)


def rate_padded(trainer: Trainer, batch: Batch) -> float:
    """Return the same of Keras' loop on arrays that are in memory."""
    inputs, targets, weight = batch
    started = time.process_time()
    trainer.model.fit(
        inputs, targets, trainer.schedule.batch_size, sample_weight=weight, shuffle=True, verbose=0
    )
    return len(weight) / (time.process_time() - started)


if __name__ == "__main__":
    main()
