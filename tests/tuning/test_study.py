from pathlib import Path
from typing import Any

import optuna
import pytest

from rootflow.config import Config, TuningConfig, change, load
from rootflow.errors import UsageError
from rootflow.tuning.study import check, make_pruner, make_sampler, suggest, with_values

TTBAR = Path(__file__).parents[2] / "configs" / "ttbar.yaml"
ARCHITECTURES = {"type": "categorical", "choices": ["set_transformer", "feed_forward"]}
HEADS = {
    "type": "categorical",
    "choices": [2, 4],
    "when": {"model.architecture": ["set_transformer"]},
}
DEPTH = {"type": "int", "low": 1, "high": 4}
SPACE = {
    "training.learning_rate": {"type": "float", "low": 0.0, "high": 1.0},
    "model.depth": {"type": "int", "low": 1, "high": 8},
}


def study_of(**space: Any) -> tuple[Config, TuningConfig]:
    named = {path.replace("__", "."): words for path, words in space.items()}
    objectives = [{"metric": "loss", "direction": "minimize"}]
    config = change(load(TTBAR), {"tune": {"space": named, "objectives": objectives}})
    assert config.tune is not None
    return config, config.tune


def test_parameter_is_suggested_where_its_condition_holds() -> None:
    config, tune = study_of(
        model__heads=HEADS,
        model__architecture=ARCHITECTURES,
        training__batch_size={"type": "int", "low": 64, "high": 1024, "log": True},
        training__learning_rate={"type": "float", "low": 1e-4, "high": 1e-2, "log": True},
    )
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    seen = [suggest(study.ask(), tune) for _ in range(40)]
    for values in seen:
        assert ("model.heads" in values) == (values["model.architecture"] == "set_transformer")
        assert with_values(config, values).model.architecture == values["model.architecture"]
    assert {len(values) for values in seen} == {3, 4}


@pytest.mark.parametrize(
    ("space", "says"),
    [
        ({"model__dept": DEPTH}, "model.dept: unknown key (did you mean depth?)"),
        ({"modle__depth": DEPTH}, "modle: unknown key (did you mean model?)"),
        ({"model__depth": {"type": "int", "low": 0, "high": 4}}, "model.depth: Input should be"),
        (
            {"model__architecture": {"type": "categorical", "choices": ["set_transformer", "mlp"]}},
            "model.architecture: 'mlp' is not",
        ),
        ({"model__heads": {**HEADS, "when": {}}, "model__architecture": ARCHITECTURES}, "heads"),
    ],
)
def test_value_that_the_schema_refuses_is_said_before_anything_runs(
    space: dict[str, Any], says: str
) -> None:
    with pytest.raises(UsageError) as caught:
        check(*study_of(**space))
    assert says in str(caught.value)
    assert "tune.space" in str(caught.value)


def test_values_between_the_corners_are_tried_too() -> None:
    with pytest.raises(UsageError, match=r"width \d+ is not a multiple of heads, 4 \(with"):
        check(*study_of(model__width={"type": "int", "low": 32, "high": 128}))
    check(*study_of(model__width={"type": "int", "low": 32, "high": 128, "step": 4}))


def test_pairs_of_corners_are_tried_where_all_are_too_many() -> None:
    many = {f"training__{name}": {"type": "float", "low": 0.01, "high": 0.9} for name in (
        "warmup_fraction", "validation_fraction", "weight_decay", "gradient_norm",
        "learning_rate", "neutrino_loss_weight",
    )}  # fmt: skip
    many |= {f"model__{name}": {"type": "int", "low": 1, "high": 4} for name in ("depth", "heads")}
    many |= {
        f"data__selection__{name}": {"type": "float", "low": 20.0, "high": 30.0}
        for name in ("lepton_pt_min_gev", "jet_pt_min_gev", "btag_min")
    }
    many["model__width"] = {"type": "int", "low": 62, "high": 64, "step": 2}
    with pytest.raises(UsageError, match="width 62 is not a multiple of heads, 4"):
        check(*study_of(**many))


@pytest.mark.parametrize("name", ["ttbar-tune.yaml", "h4l-tune.yaml"])
def test_shipped_study_is_allowed(name: str) -> None:
    config = load(TTBAR.with_name(name))
    assert config.tune is not None
    check(config, config.tune)


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
