"""Training throughput of the set transformer: its own attention against Keras', in one run."""

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import keras

from rootflow.config import load
from rootflow.dataset import build
from rootflow.ntuple import find_files
from rootflow.training.trainer import Trainer

REPETITIONS = 5
STEPS = 24


class KerasAttention(keras.layers.Layer):
    """keras.layers.MultiHeadAttention of the same heads and width."""

    def __init__(self, heads: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.attention = keras.layers.MultiHeadAttention(heads, width // heads)

    def build(self, tokens_shape: tuple[int | None, ...]) -> None:
        self.attention.build(tokens_shape, tokens_shape)

    def call(self, tokens: Any, present: Any) -> Any:
        return self.attention(tokens, tokens, attention_mask=present[:, None, :])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", default=["data/ttbar/*.root"], help="ntuples or globs")
    parser.add_argument("--config", type=Path, default=Path("configs/ttbar.yaml"))
    arguments = parser.parse_args()
    config = load(
        arguments.config, ["model.architecture=set_transformer", f"training.max_steps={STEPS}"]
    )
    with tempfile.TemporaryDirectory() as directory:
        dataset = build(config.data, find_files(arguments.files), Path(directory))
        ours = Trainer(dataset, config)
        with mock.patch("rootflow.models.architectures.SelfAttention", KerasAttention):
            reference = Trainer(dataset, config)
        rate(ours), rate(reference)  # the graphs are made
        pairs = [(rate(ours), rate(reference)) for _ in range(REPETITIONS)]
    print(
        json.dumps(
            {
                "name": "training_set_transformer",
                "value": round(statistics.median(own for own, _ in pairs)),
                "unit": "events/s",
                "reference": "the same network with keras.layers.MultiHeadAttention",
                "ratio": round(statistics.median(own / theirs for own, theirs in pairs), 3),
            }
        )
    )


def rate(trainer: Trainer) -> float:
    """Return the events per second of some training steps."""
    seconds, events = trainer.seconds, trainer.events
    trainer.epoch(0)
    return (trainer.events - events) / (trainer.seconds - seconds)


if __name__ == "__main__":
    main()
