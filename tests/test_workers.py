import os
import signal
import time
from concurrent.futures import wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from long_work import prepare, times, touch, work_for_an_hour
from rootflow.workers import Shared, workers


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


def test_results_come_as_asked_for_and_few_wait(tmp_path: Path) -> None:
    done_here: list[Path] = []
    tasks = [tmp_path / str(number) for number in range(12)]

    def work(task: Path) -> Path:
        done_here.append(task)
        time.sleep(0.1)
        return touch(task)

    with workers(2, prepare) as executor:
        assert executor.submit(times, 1).result() == []  # they have started
        shared = Shared(tasks, work, executor, touch, ahead=4)
        for place, task in enumerate(tasks):
            if shared.result(task) is None:
                work(task)
            assert task.exists()
            assert len(list(tmp_path.iterdir())) <= place + 1 + 4
    assert len(done_here) < len(tasks)
    assert len(set(done_here)) == len(done_here)


def test_what_a_task_raises_is_raised_when_it_is_asked_for(tmp_path: Path) -> None:
    tasks = [tmp_path / "first", tmp_path / "missing" / "file", tmp_path / "last"]
    with workers(1, prepare) as executor:
        shared = Shared(tasks, touch, executor, touch, ahead=4)
        assert shared.result(tasks[0]) is None
        with pytest.raises(FileNotFoundError):
            shared.result(tasks[1]) or touch(tasks[1])
        assert (shared.result(tasks[2]) or touch(tasks[2])) == tasks[2]


def test_each_hears_of_a_process_that_died_though_some_are_cancelled(tmp_path: Path) -> None:
    told = tmp_path / "process"
    with pytest.raises(BrokenProcessPool), workers(1, prepare) as executor:  # noqa: PT012
        works = [executor.submit(work_for_an_hour, told) for _ in range(6)]
        while not told.exists() or not told.read_text():
            time.sleep(0.05)
        assert works[3].cancel()
        os.kill(int(told.read_text()), signal.SIGKILL)
        assert not wait([*works[:3], *works[4:]], timeout=60).not_done
        works[-1].result()
