"""Exported networks in onnxruntime against Keras, and against the bare network, in one run.

One thread each. Batches of one event: median and 99th percentile; batches of 4096: events a
second. The references: Keras' `predict`, the model's compiled Keras call, and the same network
in onnxruntime without what rootflow puts around it: it takes the two views of the event
standardised and with the features of jet pairs, made beforehand, and ends with a plain softmax
over all pairs and a linear layer for the momenta, which stay in the views' axes. That one comes
as Keras exports it, and simplified as rootflow's exports are.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf
from keras import layers, ops

from rootflow.config import change, load
from rootflow.config.model import ModelConfig
from rootflow.dataset import Events, build
from rootflow.dataset.readings.dilepton import Dilepton
from rootflow.export.conversion import CONVERTERS, compiled, compose, convert
from rootflow.exported.session import open_session
from rootflow.formats import find_files
from rootflow.models.architectures import build_model
from rootflow.models.networks import BUILDERS
from rootflow.models.normalisation import SEEN, fit_normalisation

ARCHITECTURES = ("set_transformer", "feed_forward")
ROUNDS, CALLS, PREDICTIONS = 5, 200, 10
LARGE, LARGE_CALLS = 4096, 3
SEED = 1
Arrays = dict[str, Any]
Ask = Callable[[Arrays], Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", default=["data/ttbar/*.root"], help="ntuples or globs")
    parser.add_argument("--config", type=Path, default=Path("configs/ttbar.yaml"))
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    config = load(arguments.config)
    with tempfile.TemporaryDirectory() as directory:
        dataset = build(
            config.data,
            {"ttbar": find_files(arguments.files)},
            Path(directory),
            Dilepton.of(config.data),
        )
        events = dataset.events(slice(0, LARGE))
        for architecture in ARCHITECTURES:
            model = change(config, {"model.architecture": architecture}).model
            measure(model, events, config.export.opset)


def measure(config: ModelConfig, events: Events, opset: int) -> None:
    """Print the latencies and the throughputs of an architecture."""
    normalisation = fit_normalisation([(events, events.weight)])
    model = build_model(config, events.features, events.jet_mask.shape[1], normalisation)
    bare = bare_network(config, model)
    for network in (model, bare):
        learn(network)
    parts = keras.Model(
        model.input, {name: seen_by(model, name) for name in bare.input if name in SEEN}
    )
    whole = {
        name: np.resize(array, (LARGE, *array.shape[1:])) for name, array in events.inputs().items()
    }
    prepared = {**compiled(parts)(whole), "jet_mask": whole["jet_mask"]}

    ours, reference = running(convert(model, opset)), running(convert(bare, opset))
    by_keras = CONVERTERS["keras"](bare, opset)
    compose(by_keras, opset)
    exported = running(by_keras)
    call = compiled(model)
    asked: dict[str, tuple[Ask, Arrays, int]] = {
        "ours": (ours, whole, CALLS),
        "Keras' predict": (lambda inputs: model.predict(inputs, verbose=0), whole, PREDICTIONS),
        "the compiled Keras call": (call, whole, CALLS),
        "the bare network in onnxruntime, as Keras exports it": (exported, prepared, CALLS),
        "the bare network in onnxruntime, simplified like ours": (reference, prepared, CALLS),
    }
    single: dict[str, list[float]] = {name: [] for name in asked}
    large: dict[str, list[float]] = {name: [] for name in asked}
    for number in range(ROUNDS + 1):
        for name, (ask, inputs, calls) in asked.items():
            found = [seconds(ask, some(inputs, k % LARGE, 1)) for k in range(calls)]
            rates = [LARGE / seconds(ask, inputs) for _ in range(LARGE_CALLS)]
            if number:  # the first round is to warm up
                single[name] += found
                large[name] += rates
    for name in list(asked)[1:]:
        for what, percent in (("median", 50), ("p99", 99)):
            milliseconds = {
                key: 1000 * np.percentile(single[key], percent) for key in ("ours", name)
            }
            say(
                f"export_latency_{what}_{config.architecture}",
                milliseconds["ours"],
                "ms/event",
                name,
                milliseconds["ours"] / milliseconds[name],
            )
        rates = {key: np.median(large[key]) for key in ("ours", name)}
        say(
            f"export_throughput_{config.architecture}",
            rates["ours"],
            "events/s",
            name,
            rates["ours"] / rates[name],
        )


def bare_network(config: ModelConfig, model: keras.Model) -> keras.Model:
    """Return the architecture on views that are made beforehand, with plain outputs."""
    names = [name for name in SEEN if name != "pairs" or config.architecture != "feed_forward"]
    seen = {name: keras.Input(seen_by(model, name).shape[1:], name=name) for name in names}
    mask = keras.Input(model.input["jet_mask"].shape[1:], dtype="bool", name="jet_mask")
    scores, features = BUILDERS[config.architecture](config, seen, mask)
    outputs = {
        "pairs_of_jets": ops.softmax(layers.Flatten()(scores)),
        "momenta": layers.Dense(3)(features),
    }
    return keras.Model({**seen, "jet_mask": mask}, outputs, name="bare")


def learn(network: keras.Model) -> None:
    """Change all weights, as training does: converters leave out what adds 0 or multiplies by 1."""
    random = np.random.default_rng(SEED)
    for weight in network.trainable_weights:
        weight.assign(weight + random.normal(scale=0.05, size=weight.shape))


def seen_by(model: keras.Model, name: str) -> Any:
    """Return what a network sees of an event after views and normalisation, symbolically."""
    return model.get_layer(f"standardise_{name}").output


def running(proto: onnx.ModelProto) -> Ask:
    session = open_session(proto.SerializeToString(), threads=1)
    return lambda inputs: session.run(None, inputs)


def some(inputs: Arrays, start: int, count: int) -> Arrays:
    return {name: array[start : start + count] for name, array in inputs.items()}


def seconds(ask: Ask, inputs: Arrays) -> float:
    start = time.perf_counter()
    ask(inputs)
    return time.perf_counter() - start


def say(name: str, value: float, unit: str, reference: str, ratio: float) -> None:
    line = {
        "name": name,
        "value": float(f"{value:.4g}"),
        "unit": unit,
        "reference": reference,
        "ratio": float(f"{ratio:.3g}"),
    }
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
