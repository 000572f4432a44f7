"""What is said of answers that are there already, and how results are shown."""

import os
from pathlib import Path

import pytest

from rootflow.estimate import ABSENT
from rootflow.steps.result import STARTED, StepResult, say_found, show


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


def test_values_stand_with_their_errors_in_one_column(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"method": "m_lb", "accuracy": 0.72741, "accuracy_error": 0.0054, "bias": None},
        {"method": "truth", "accuracy": 1.0, "accuracy_error": 0.0, "bias": -0.04336},
    ]
    show(StepResult("evaluate", "abc", {"onnx_file": "a.onnx"}, {"methods": rows}))
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split("┃")[1:3] == [" method ", "        accuracy "] for line in lines)
    assert f"│ m_lb   │ 0.7274 ± 0.0054 │        {ABSENT} │" in lines
    assert "│ truth  │               1 │ -0.04336 │" in lines
    assert any(line.split() == ["onnx", "file", "a.onnx"] for line in lines)
    assert any(line.split() == ["run", "abc"] for line in lines)


def test_an_error_of_no_column_has_a_column_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"precision": "int8", "mass_error_before": 0.1574, "mass_error_after": 0.1588}
    show(StepResult("export", "abc", {}, {"precision": [row]}))
    lines = capsys.readouterr().out.splitlines()
    assert "│ int8      │            0.1574 │           0.1588 │" in lines
