import pytest

from rootflow.estimate import ABSENT
from rootflow.steps.result import StepResult
from rootflow.steps.show import show


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
