from pathlib import Path
from typing import Any

import pytest

from rootflow.config import Config, TuningConfig, change, load
from rootflow.config.tuning import FloatConfig
from rootflow.errors import UsageError

TTBAR = Path(__file__).parents[2] / "configs" / "ttbar.yaml"
H4L = TTBAR.with_name("h4l.yaml")
DEPTH = {"type": "int", "low": 1, "high": 4}
RATE = {"type": "float", "low": 1e-4, "high": 1e-2, "log": True}
LOSS = [{"metric": "loss", "direction": "minimize"}]


@pytest.fixture
def ttbar() -> Config:
    return load(TTBAR)


def tuning(**words: Any) -> dict[str, Any]:
    return {"space": {"model.depth": DEPTH}, "objectives": LOSS, **words}


@pytest.mark.parametrize("path", [TTBAR, H4L])
def test_each_analysis_takes_a_study(path: Path) -> None:
    config = change(load(path), {"tune": tuning(trials=3)})
    assert config.tune is not None
    assert config.tune.trials == 3


def test_parameters_come_after_those_of_their_conditions() -> None:
    heads = {"type": "categorical", "choices": [2, 4], "when": {"model.architecture": ["a"]}}
    architecture = {"type": "categorical", "choices": ["a", "b"]}
    tune = TuningConfig.model_validate(
        tuning(space={"model.heads": heads, "model.architecture": architecture})
    )
    assert [path for path, _ in tune.in_order()] == ["model.architecture", "model.heads"]


def test_a_grid_has_the_product_of_all_values_and_ends_with_them() -> None:
    space = {"model.depth": DEPTH, "x.y": {"type": "float", "low": 0.0, "high": 0.3, "step": 0.1}}
    tune = TuningConfig.model_validate(tuning(space=space, sampler={"name": "grid"}, trials=100))
    assert tune.grid()["model.depth"] == [1, 2, 3, 4]
    assert tune.grid()["x.y"] == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert tune.number_of_trials() == 16


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (tuning(trails=3), "tune.trails: unknown key (did you mean trials?)"),
        (tuning(space={"model.depth": {"type": "integer"}}), "tune.space.model.depth.type"),
        (
            tuning(space={"model.depth": {**DEPTH, "hihg": 3}}),
            "tune.space.model.depth.hihg: unknown key (did you mean high?)",
        ),
        (tuning(space={"model.depth": {**DEPTH, "low": 4}}), "low, 4, is not below high, 4"),
        (tuning(space={"a.b": {**RATE, "low": 0}}), "low, 0, has no logarithm"),
        (tuning(space={"a.b": {**DEPTH, "step": 2}}), "high is not low plus a multiple of step"),
        (tuning(space={"a.b": {**DEPTH, "when": {"c.d": [1]}}}), "is not a parameter of the space"),
        (
            tuning(space={"a": {**DEPTH, "when": {"b": [1]}}, "b": {**DEPTH, "when": {"a": [1]}}}),
            "the conditions of a, b form a circle",
        ),
        (
            tuning(
                space={
                    "a": {**DEPTH, "when": {"b": ["z"]}},
                    "b": {"type": "categorical", "choices": ["x", "y"]},
                }
            ),
            "tune: space.a.when.b: 'z' is not one of its choices",
        ),
        (tuning(space={"data.folds.held_out": DEPTH}), "data.folds is the same for all trials"),
        (tuning(space={"a": RATE}, sampler={"name": "grid"}), "the grid sampler needs a step"),
        (
            tuning(
                objectives=[*LOSS, {"metric": "parameters", "direction": "minimize"}],
                pruner={"name": "median"},
            ),
            "a study of several objectives prunes nothing",
        ),
        (tuning(objectives=LOSS * 2), "each metric can be named once"),
    ],
)
def test_mistake_in_a_study_is_said_with_its_path(
    ttbar: Config, words: dict[str, Any], says: str
) -> None:
    with pytest.raises(UsageError) as caught:
        change(ttbar, {"tune": words})
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_changed_configuration_is_checked_as_a_whole(ttbar: Config) -> None:
    changed = change(ttbar, {"model.depth": 7, "training.learning_rate": 0.5})
    assert (changed.model.depth, changed.training.learning_rate) == (7, 0.5)
    with pytest.raises(UsageError, match=r"model: width 65 is not a multiple of heads, 4"):
        change(ttbar, {"model.width": 65})


def test_new_architecture_starts_the_model_afresh_wherever_it_is_named(ttbar: Config) -> None:
    changed = change(ttbar, {"model.depth": 2, "model.architecture": "feed_forward"})
    assert changed.model.name == "feed_forward"
    assert changed.model.depth == 2


def test_a_grid_ends_where_its_steps_do() -> None:
    parameter = FloatConfig(type="float", low=0.1, high=0.35, step=0.1)
    assert parameter.grid() == [0.1, 0.2, 0.3]
    assert parameter.ends() == [0.1, 0.3]
