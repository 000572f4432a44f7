"""One event at a time: onnxruntime against Keras' compiled call, one thread each, in one run."""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from rootflow.config import load
from rootflow.dataset import build
from rootflow.export.conversion import compiled, convert
from rootflow.exported.session import open_session
from rootflow.models import build_model, fit_normalisation
from rootflow.ntuple import find_files

REPETITIONS = 9
CALLS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", default=["data/ttbar/*.root"], help="ntuples or globs")
    parser.add_argument("--config", type=Path, default=Path("configs/ttbar.yaml"))
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)

    config = load(arguments.config)
    with tempfile.TemporaryDirectory() as directory:
        dataset = build(config.data, {"ttbar": find_files(arguments.files)}, Path(directory))
        events = dataset.events().take(slice(0, CALLS))
    model = build_model(
        config.model,
        events.features,
        config.data.max_jets,
        fit_normalisation([(events, events.weight)]),
    )
    single = [events.take(slice(i, i + 1)).inputs() for i in range(CALLS)]
    by_keras = compiled(model)
    session = open_session(convert(model, config.export.opset).SerializeToString(), threads=1)

    def with_keras() -> None:
        for inputs in single:
            by_keras(inputs)

    def with_onnxruntime() -> None:
        for inputs in single:
            session.run(None, inputs)

    with_keras()
    with_onnxruntime()
    pairs = [(seconds(with_keras), seconds(with_onnxruntime)) for _ in range(REPETITIONS)]
    milliseconds = statistics.median(ours for _, ours in pairs) * 1000 / CALLS
    print(
        json.dumps(
            {
                "name": f"export_latency_{config.model.architecture}",
                "value": round(milliseconds, 4),
                "unit": "ms/event",
                "reference": "the model's compiled Keras call",
                "ratio": round(statistics.median(ours / keras for keras, ours in pairs), 3),
            }
        )
    )


def seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
