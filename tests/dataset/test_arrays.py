"""Arrays that several processes write, each its own part."""

from pathlib import Path

import numpy as np
import pytest

from rootflow.dataset.arrays import ArrayWriters
from rootflow.errors import RootflowError

JETS = np.arange(2 * 3 * 50, dtype=np.float32).reshape(50, 2, 3)


def test_parts_are_written_in_any_order(tmp_path: Path) -> None:
    with ArrayWriters(tmp_path) as first, ArrayWriters(tmp_path) as other:
        other.write({"jets": JETS[20:45]}, stop=45)
        first.write({"jets": JETS[:20]}, stop=20)
        first.write({"jets": JETS[:0]}, stop=45)
        first.write({"jets": JETS[45:]}, stop=50)
    np.save(tmp_path / "whole.npy", JETS)
    assert (tmp_path / "jets.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()


@pytest.mark.parametrize("part", [JETS.astype(np.float64), JETS[:, :1]])
def test_events_of_another_type_or_shape_are_refused(tmp_path: Path, part: np.ndarray) -> None:
    with ArrayWriters(tmp_path) as writers:
        writers.write({"jets": JETS}, stop=50)
        with pytest.raises(RootflowError, match=r"^jets\.npy: events of float.* after others of"):
            writers.write({"jets": part}, stop=100)
