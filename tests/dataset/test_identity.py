from pathlib import Path

import numpy as np
import pytest

from rootflow.dataset import identity
from rootflow.dataset.identity import repeated_numbers


@pytest.mark.parametrize("at_once", [7, 1_000_000])
def test_numbers_are_counted_once_however_they_are_parted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(identity, "NUMBERS_AT_ONCE", at_once)
    files = [range(100), range(60, 120), range(50, 70), [*range(200, 210), 205, 3]]
    numbers = np.concatenate([np.array(file, dtype=np.uint64) for file in files])
    np.save(tmp_path / "event_number.npy", numbers)
    np.save(tmp_path / "file_index.npy", np.repeat(np.arange(4), list(map(len, files))))
    assert repeated_numbers(tmp_path) == 51
