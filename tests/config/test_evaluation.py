from pathlib import Path

import pytest

from rootflow.config import load
from rootflow.errors import UsageError

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.parametrize(("analysis", "metric"), [("ttbar", "assignment_accuracy"), ("h4l", "auc")])
def test_each_analysis_has_its_metric(analysis: str, metric: str) -> None:
    path = CONFIGS / f"{analysis}.yaml"
    assert load(path).promotion.metric == metric
    settings = ["promotion.least_gain=-0.01", "promotion.no_regression_in={jets: [1.5, 2.5]}"]
    promotion = load(path, settings).promotion
    assert promotion.least_gain == -0.01
    assert promotion.no_regression_in == {"jets": [1.5, 2.5]}


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("promotion.metric=auc", r"promotion\.metric: .*'assignment_accuracy'"),
        ("promotion.p_value_max=0", r"promotion\.p_value_max: .*greater than 0"),
        ("promotion.p_value_max=1.1", r"promotion\.p_value_max: .*less than or equal to 1"),
        ("promotion.no_regression_in={jets: [2]}", r"promotion\.no_regression_in\.jets: bin edges"),
        ("promotion.gain_min=1", r"promotion\.gain_min: unknown key"),
    ],
)
def test_what_is_not_allowed_is_told(setting: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        load(CONFIGS / "ttbar.yaml", [setting])
