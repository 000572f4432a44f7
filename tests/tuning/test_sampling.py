from pathlib import Path
from typing import Any

import optuna
import pytest

from rootflow.config import TuningConfig, load
from rootflow.tuning.sampling import make_pruner, make_sampler
from rootflow.tuning.space import suggest

TTBAR = Path(__file__).parents[2] / "configs" / "ttbar.yaml"
SPACE = {
    "training.learning_rate": {"type": "float", "low": 0.0, "high": 1.0},
    "model.depth": {"type": "int", "low": 1, "high": 8},
}


def tuning(sampler: str, **words: Any) -> TuningConfig:
    objectives = [{"metric": "loss", "direction": "minimize"}]
    return TuningConfig.model_validate(
        {"space": SPACE, "objectives": objectives, "sampler": {"name": sampler}, **words}
    )


def proposals(tune: TuningConfig, seed: int, trials: int = 30) -> list[dict[str, Any]]:
    study = optuna.create_study()
    asked = []
    for number in range(trials):
        study.sampler = make_sampler(tune, seed, number)
        trial = study.ask()
        values = suggest(trial, tune)
        asked.append(values)
        rate, depth = float(values["training.learning_rate"]), float(values["model.depth"])
        study.tell(trial, (rate - 0.3) ** 2 + 0.01 * (depth - 5) ** 2)
    return asked


@pytest.mark.parametrize("sampler", ["tpe", "random", "cmaes"])
def test_same_seed_proposes_the_same_trials(sampler: str) -> None:
    tune = tuning(sampler)
    assert proposals(tune, 1) == proposals(tune, 1)
    assert proposals(tune, 1) != proposals(tune, 2)


@pytest.mark.parametrize("sampler", ["tpe", "cmaes"])
def test_sampler_learns_from_what_it_was_told(sampler: str) -> None:
    late = proposals(tuning(sampler), 3, 60)[40:]
    distances = sorted(abs(float(values["training.learning_rate"]) - 0.3) for values in late)
    assert distances[len(late) // 2] < 0.15  # 0.25 at random


def test_grid_visits_every_point_once() -> None:
    rate = {"type": "float", "low": 0.0, "high": 1.0, "step": 0.25}
    tune = tuning("grid", space={**SPACE, "training.learning_rate": rate}, trials=99)
    asked = proposals(tune, 1, tune.number_of_trials())
    assert len({tuple(values.items()) for values in asked}) == 5 * 8


@pytest.mark.parametrize(("words", "epochs"), [({}, 7), ({"space": {"training.epochs": {
    "type": "int", "low": 1, "high": 90}}}, 90)])  # fmt: skip
def test_hyperband_counts_to_the_longest_training(words: dict[str, Any], epochs: int) -> None:
    config = load(TTBAR, ["training.epochs=7"])
    tune = tuning("tpe", pruner={"name": "hyperband"}, **words)
    expected = optuna.pruners.HyperbandPruner(max_resource=epochs)
    assert vars(make_pruner(config, tune)) == vars(expected)
