"""What is said of answers that are there already."""

import os
from pathlib import Path

import pytest

from rootflow.steps.found import STARTED, say_found


def test_what_an_earlier_process_made_is_said_once_with_its_date(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / name for name in ("first", "second", "new", "none")]
    for path in paths[:3]:
        path.touch()
    for path, made in zip(paths, (1_000_000_000, 1_100_000_000, STARTED + 1), strict=False):
        os.utime(path, (made, made))
    for _ in range(2):
        say_found("train", "training 0123", paths)
    assert capsys.readouterr().err == (
        "train: training 0123 is found again (2 of 4 folds), made 2004-11-09T11:33:20+00:00\n"
    )
    say_found("preprocess", "dataset 0123", paths[:1])
    assert capsys.readouterr().err == (
        "preprocess: dataset 0123 is found again, made 2001-09-09T01:46:40+00:00\n"
    )
    say_found("preprocess", "dataset 4567", paths[2:])
    assert capsys.readouterr().err == ""
