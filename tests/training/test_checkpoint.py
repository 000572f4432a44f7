from pathlib import Path

import numpy as np
import pytest

from rootflow.errors import InputError
from rootflow.training.checkpoint import CHECKPOINT, Checkpoint, read_checkpoint, write_checkpoint


def some() -> Checkpoint:
    random = np.random.default_rng(1)
    variables = [random.normal(size=(3, number)).astype(np.float32) for number in range(12)]
    return Checkpoint(
        "question", [{"loss": 1 / 3}], [*variables, np.array(7)], variables[:2], 5, 1 / 7, 2 / 7
    )


def test_what_is_written_is_read_bit_by_bit(tmp_path: Path) -> None:
    write_checkpoint(some(), tmp_path)
    read = read_checkpoint(tmp_path)
    assert read is not None
    assert (read.question, read.history) == (some().question, some().history)
    assert (read.events, read.seconds, read.validation_seconds) == (5, 1 / 7, 2 / 7)
    for ours, theirs in [(some().variables, read.variables), (some().best, read.best)]:
        assert [a.dtype for a in ours] == [a.dtype for a in theirs]
        for before, after in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(before, after)


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path) is None


@pytest.mark.parametrize("keep", [0, 100, -100])
def test_a_truncated_checkpoint_is_an_error_that_names_it(tmp_path: Path, keep: int) -> None:
    write_checkpoint(some(), tmp_path)
    path = tmp_path / CHECKPOINT
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"checkpoint\.npz: has no checksum .* train again"):
        read_checkpoint(tmp_path)
