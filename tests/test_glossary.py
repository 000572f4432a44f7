"""docs/tracking.md has every metric, and each name once."""

import re
from collections import Counter

from glossary import PAGE, ROW, of_methods, of_models


def test_no_name_is_told_twice_for_a_step() -> None:
    told = Counter(
        (name, step)
        for names, steps in ROW.findall(PAGE.read_text())
        for name in re.findall("`(.+?)`", names)
        for step in steps.split(", ")
    )
    assert {name: count for name, count in told.items() if count > 1} == {}


def test_a_name_of_one_step_is_not_another_one_elsewhere() -> None:
    rows = ROW.findall(PAGE.read_text())
    told = Counter(name for names, _ in rows for name in re.findall("`(.+?)`", names))
    assert {name: count for name, count in told.items() if count > 1} == {}


def test_patterns_are_of_whole_names() -> None:
    excess = "auc_training_excess_in_window"
    for patterns, name in ((of_methods(), "mtt_bias"), (of_models(), excess)):
        assert sum(re.fullmatch(pattern, name) is not None for pattern in patterns) == 1
