"""Jobs that ask for a GPU, on a node that says that it has one."""

import platform
from pathlib import Path

import pytest
import tensorflow as tf

from batch_jobs import profile, shell_job
from rootflow.batch import State, make_executor

CONFIG = Path(__file__).parents[2] / "configs" / "ttbar.yaml"
# Before anything is read: there are no ntuples in the job's folder.
TRAIN = f"python -m rootflow train --config {CONFIG}"


@pytest.mark.usefixtures("pool")
def test_a_job_that_sees_no_gpu_fails_at_once_in_one_line(tmp_path: Path) -> None:
    words = profile("shared", job={"gpus": 1})
    executor = make_executor(words, tmp_path / "batch")
    [job_id] = executor.submit([shell_job(tmp_path, TRAIN)])
    executor.wait([job_id], 180)
    status = executor.status([job_id])[job_id]
    assert status.state is State.FAILED
    assert status.reason == (
        f"exit code 1: rootflow: the job asked for 1 GPU (job.gpus) on {platform.node()}, and "
        f"TensorFlow {tf.__version__} sees none: this environment has tensorflow-cpu: set up the "
        "extra gpu (scripts/setup.sh gpu)"
    )


def test_a_job_that_asks_for_none_is_told_of_none(tmp_path: Path) -> None:
    executor = make_executor(profile("local"), tmp_path / "batch")
    [job_id] = executor.submit([shell_job(tmp_path, 'test -z "${ROOTFLOW_GPUS+set}"')])
    executor.wait([job_id], 180)
    assert executor.status([job_id])[job_id].state is State.DONE
