"""The weights of a network on one core and on several."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping

import pytest

from rootflow.analyses.h4l import H4lConfig
from rootflow.dataset import Dataset

SCRIPT = """
import hashlib, json, os, sys
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[2])])
from pathlib import Path
from rootflow.analyses.h4l import H4lConfig
from rootflow.config import FoldsConfig
from rootflow.dataset import open_dataset
from rootflow.training.trainer import Trainer
config = H4lConfig.model_validate(json.loads(sys.argv[3]))
trainer = Trainer(open_dataset(Path(sys.argv[1])), config, FoldsConfig())
trainer.epoch(1)
weights = b"".join(array.tobytes() for array in trainer.task.network.get_weights())
print(hashlib.sha256(weights).hexdigest())
"""


def _weights(dataset: Dataset, config: str, cores: int, environment: Mapping[str, str]) -> str:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, str(dataset.path), str(cores), config],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_cores_and_threads_that_a_job_is_given_decide_no_weight(
    labelled_dataset: Dataset, make_h4l_config: Callable[..., H4lConfig]
) -> None:
    model = {"architecture": "feed_forward", "width": 128}
    config = make_h4l_config(model, batch_size=512).model_dump_json(exclude={"output"})
    given = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    one = _weights(labelled_dataset, config, 1, given)
    assert one == _weights(labelled_dataset, config, 2, {})
