import csv
import io
import json

import numpy as np
import pytest

from rootflow.estimate import ASYMPTOTIC, PValue
from rootflow.evaluation.bootstrap import better_p_value


@pytest.mark.parametrize(
    ("value", "replicas", "times", "text"),
    [
        (1 / 1001, 1000, 1, "< 0.001"),
        (1 / 501, 500, 1, "< 0.002"),
        (2 / 501, 500, 2, "< 0.004"),
        (1 / 301, 300, 1, "< 0.0034"),  # not 0.0033, which it is not below
        (2 / 1001, 1000, 1, "0.002"),
        (0.034, 1000, 1, "0.034"),
        (1.0, 1000, 2, "1"),
        (1.0, 2, 4, "1"),
        (1e-40, ASYMPTOTIC, 1, "< 1e-06"),
    ],
)
def test_text(value: float, replicas: int, times: int, text: str) -> None:
    p_value = PValue(value, replicas, times)
    assert str(p_value) == f"{p_value}" == f"{p_value:.4g}" == text
    assert p_value.equation == ("p " + text if text.startswith("<") else f"p = {text}")
    written = io.StringIO()
    csv.writer(written).writerow([p_value])
    assert written.getvalue().strip() == text


def test_limit_that_is_shown_is_above_the_number() -> None:
    for replicas in range(2, 2000):
        for times in (1, 2, 7):
            text = str(PValue(times / (1 + replicas), replicas, times))
            if text.startswith("<"):
                assert times / (1 + replicas) < float(text.removeprefix("<"))


def test_a_number_stays_a_number() -> None:
    p_value = PValue(1 / 1001, 1000)
    assert p_value == 1 / 1001
    assert json.loads(json.dumps({"p": p_value}, indent=1)) == {"p": 1 / 1001}
    assert type(float(p_value)) is float


def test_replicas_without_a_value_say_nothing_for_a_model() -> None:
    assert better_p_value(np.array([0.1, 0.2, np.nan])) == 2 / 4
    assert better_p_value(np.array([0.1, 0.2, 0.3])) == 1 / 4
