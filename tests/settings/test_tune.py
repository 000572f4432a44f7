"""Each setting of a study off its default, and all of them at once through a study."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from other_values import TUNE
from rootflow.config import Config
from rootflow.errors import UsageError
from rootflow.steps.tune import _profile as profile_of
from rootflow.tuning.study import make_pruner, make_sampler, place_of, storage_name, suggest
from rootflow.tuning.trials import held_out_folds
from small_configurations import inside, of_kind, small
from studies import TOY
from toy_study import run_study

KINDS: dict[str, dict[str, Any]] = {
    "float": {"training.learning_rate": {"type": "float", "low": 1e-4, "high": 1e-2}},
    "int": {"model.width": {"type": "int", "low": 32, "high": 128}},
    "categorical": {"model.width": {"type": "categorical", "choices": [64, 128]}},
}
CONDITION = {"model.depth": {"type": "int", "low": 1, "high": 2}}
OBJECTIVE = {"metric": "loss", "direction": "minimize"}
# What the driver of a study looks at while it runs.
OF_THE_DRIVER = {
    f"tune.{name}"
    for name in (
        "name", "objectives", "objectives.metric", "objectives.direction", "pruner.metric",
        "parallel", "reproducible", "then", "retries", "failures", "poll_seconds", "quiet_seconds",
        "start_from",
    )
}  # fmt: skip
CASES = [
    (analysis, path)
    for analysis, others in TUNE.items()
    for path in others
    if path not in OF_THE_DRIVER and (analysis, path) != ("h4l", "tune.folds")
]
# All at once: what is conditional, or in steps and not in the logarithm, is another parameter.
SPACE = {
    "training.learning_rate": {"type": "float", "low": 2e-4, "high": 2e-2, "log": True},
    "model.dropout": {"type": "float", "low": 0.1, "high": 0.3, "step": 0.1},
    "model.depth": {"type": "int", "low": 2, "high": 8, "log": True},
    "model.width": {"type": "int", "low": 16, "high": 96, "step": 16, "when": {"model.depth": [2]}},
    "training.batch_size": {
        "type": "categorical",
        "choices": [512, 64],
        "when": {"model.depth": [2, 3]},
    },
}
# What the configuration says of the rest lies in SPACE, too.
EARLIER = {"model.dropout": SPACE["model.dropout"]}
PROFILE = "{executor: local, slots: 2, job: {memory_gib: 0.2}}"


@pytest.fixture
def folder(workspace: Path, empty_store: Path) -> Path:
    """Return a working directory with a store and a profile."""
    (workspace / "mlflow.db").write_bytes(empty_store.read_bytes())
    (workspace / "local.yaml").write_text(PROFILE)
    return workspace


def study_of(analysis: str, path: str, values: Mapping[str, Any], folder: Path) -> Config:
    """Return a configuration with a study that has these settings."""
    kind, _ = of_kind(path)
    space = {name: dict(each) for name, each in (KINDS[kind] if kind else KINDS["float"]).items()}
    tune: dict[str, Any] = {"space": space, "objectives": [OBJECTIVE]}
    for each, value in inside(folder, values).items():
        kind, setting = of_kind(each)
        *outer, name = setting.removeprefix("tune.").split(".")
        block: dict[str, Any] = tune
        if kind:
            [block] = [one for one in space.values() if one["type"] == kind]
            if name == "when":
                space |= CONDITION
        else:
            for part in outer:
                block = block.setdefault(part, {})
        block[name] = value
    return small(analysis, {"tune": tune})


def told(config: Config) -> dict[str, Any]:
    """Return what Optuna, the jobs and the driver are told before a study runs."""
    tune = config.tune
    assert tune is not None
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    trials = [study.ask() for _ in range(5)]
    asked = [(suggest(trial, tune), trial.distributions) for trial in trials]
    sampler, pruner = make_sampler(tune, config.seed, 0), make_pruner(config, tune)
    return {
        "asked": asked,
        "sampler": (type(sampler), plain(sampler)),
        "pruner": (type(pruner), plain(pruner)),
        "trials": tune.number_of_trials(),
        "folds": held_out_folds(config, tune),
        "storage": storage_name(tune, place_of(config, tune)),
        "profile": profile_of(tune),
    }


def plain(thing: object) -> dict[str, Any]:
    return {name: value for name, value in vars(thing).items() if isinstance(value, int | str)}


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize(("analysis", "path"), CASES)
def test_other_value_asks_for_another_study(analysis: str, path: str, folder: Path) -> None:
    other = TUNE[analysis][path]
    before = told(study_of(analysis, path, other.given, folder))
    after = told(study_of(analysis, path, {**other.given, path: other.value}, folder))
    assert before != after


def test_every_fold_is_held_out_in_any_case_in_h4l(folder: Path) -> None:
    values = {"tune.folds": TUNE["h4l"]["tune.folds"].value}
    with pytest.raises(UsageError, match="holds out every fold in any case: write 1"):
        told(study_of("h4l", "tune.folds", values, folder))


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_all_settings_go_through_a_study(folder: Path) -> None:
    values = {
        path: other.value
        for path, other in TUNE["ttbar"].items()
        if not of_kind(path)[0] and not path.startswith("tune.objectives.")
    }
    values = inside(folder, {**values, "tune.space": SPACE})
    settings = [f"{path}={json.dumps(value)}" for path, value in values.items()]
    earlier = ["tune.name=earlier", "tune.start_from=null", "tune.trials=1"]
    run_study(TOY, [*settings, *earlier, f"tune.space={json.dumps(EARLIER)}"])
    run_study(TOY, settings)
    study = optuna.load_study(study_name="others", storage=values["tune.storage"])
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 3
    assert study.direction.name == "MAXIMIZE"
