from pathlib import Path
from typing import Any

import optuna
import pytest

from rootflow.config import Config, TuningConfig, change, load
from rootflow.errors import UsageError
from rootflow.tuning.space import check, suggest, with_values

TTBAR = Path(__file__).parents[2] / "configs" / "ttbar.yaml"
ARCHITECTURES = {"type": "categorical", "choices": ["set_transformer", "feed_forward"]}
HEADS = {
    "type": "categorical",
    "choices": [2, 4],
    "when": {"model.architecture": ["set_transformer"]},
}
DEPTH = {"type": "int", "low": 1, "high": 4}


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
