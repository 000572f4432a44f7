import os
import time
from pathlib import Path

import pytest

from long_work import prepare, times, work_for_an_hour
from rootflow.workers import workers


def test_each_works_with_what_it_prepared_itself_with() -> None:
    with workers(2, prepare, 2, 3) as executor:
        assert list(executor.map(times, [1, 10])) == [[2, 3], [20, 30]]
        last = executor.submit(times, 100)
    assert last.result() == [200, 300]
    assert times(1) == []


def test_they_end_at_once_where_the_block_raises(tmp_path: Path) -> None:
    told = tmp_path / "process"
    with pytest.raises(KeyboardInterrupt), workers(1, prepare) as executor:  # noqa: PT012
        work = executor.submit(work_for_an_hour, told)
        while not told.exists() and not work.done():
            time.sleep(0.05)
        raise KeyboardInterrupt
    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text()), 0)
