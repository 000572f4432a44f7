"""Configurations, maps, search spaces and promotions in which something is wrong."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
import optuna
import pytest
import yaml
from hypothesis import strategies as st

from mutations import EXAMPLES, TEXTS, VALUES, changed_data, changed_text, paths_in, search
from rootflow.config import Config, TuningConfig, change, load
from rootflow.config.batch import load_profile
from rootflow.config.evaluation import ReconstructionPromotionConfig
from rootflow.errors import RootflowError
from rootflow.evaluation.bootstrap import Replicated
from rootflow.evaluation.paired import decide
from rootflow.ntuple import features_of, load_branch_map
from rootflow.steps.registry.decision import numbers_of, shortfalls, tags_of_run
from rootflow.tracking.registry import Version
from rootflow.tuning.study import suggest, with_values

PROJECT = Path(__file__).parents[2]
CONFIGS = sorted((PROJECT / "configs").glob("*.yaml"))
PROFILES = sorted((PROJECT / "condor" / "profiles").glob("*.json"))
MAPS = sorted((PROJECT / "src" / "rootflow" / "ntuple" / "maps").glob("*.yaml"))


def _paths_of(config: Config) -> list[str]:
    data = config.model_dump(mode="json")
    return [".".join(map(str, path)) for path in paths_in(data) if path]


def _as_yaml(data: Any) -> str:
    return yaml.safe_dump(data, sort_keys=False)


@EXAMPLES
def test_configurations(tmp_path: Path, examples: int) -> None:
    configs = [load(path) for path in CONFIGS]
    overrides = st.one_of(
        *(
            st.builds(
                lambda path, key, text: (path, [f"{key}={text}"]),
                st.just(path),
                st.sampled_from([*_paths_of(config), "new", "a." * 2000, "model..width", ""]),
                st.sampled_from([*TEXTS, *(json.dumps(value) for value in VALUES)]),
            )
            for path, config in zip(CONFIGS, configs, strict=True)
        )
    )
    changed = tmp_path / "changed.yaml"

    def use(case: tuple[Path, list[str]] | tuple[Any, str]) -> None:
        first, second = case
        if isinstance(second, str):
            changed.write_text(second, errors="surrogatepass")
            read: Any = load_profile(changed) if first in PROFILES else load(changed)
        else:
            read = load(first, second)
        text = read.model_dump(mode="json")
        assert json.loads(json.dumps(text, allow_nan=False)) == text
        if first not in PROFILES:
            assert change(read, {}) == read

    texts = st.one_of(
        *(
            st.tuples(st.just(path), changed_text(path.read_text()))
            for path in (*CONFIGS, *PROFILES)
        ),
        *(
            st.tuples(st.just(path), changed_data(data).map(_as_yaml))
            for path, data in ((path, yaml.safe_load(path.read_text())) for path in CONFIGS)
        ),
    )
    search(examples, st.one_of(overrides, texts), use)


@EXAMPLES
def test_branch_maps(tmp_path: Path, examples: int) -> None:
    changed = tmp_path / "changed.yaml"

    def use(case: tuple[Path, str]) -> None:
        _, text = case
        changed.write_text(text, errors="surrogatepass")
        branch_map = load_branch_map(str(changed))
        assert {*branch_map.objects(), "event"} <= set(features_of(branch_map))
        assert branch_map.branches() is not None
        branch_map.as_in([])

    texts = [
        strategy
        for path in MAPS
        for strategy in (
            st.tuples(st.just(path), changed_text(path.read_text())),
            st.tuples(st.just(path), changed_data(yaml.safe_load(path.read_text())).map(_as_yaml)),
        )
    ]
    search(examples, st.one_of(*texts), use)


STUDY = {
    "space": {
        "training.learning_rate": {"type": "float", "low": 1e-4, "high": 1e-2, "log": True},
        "training.weight_decay": {"type": "float", "low": 0.0, "high": 1.0, "step": 0.25},
        "model.width": {"type": "int", "low": 16, "high": 64, "step": 16},
        "model.dropout": {"type": "categorical", "choices": [0.0, 0.1, 0.2]},
        "training.batch_size": {
            "type": "int",
            "low": 64,
            "high": 512,
            "log": True,
            "when": {"model.dropout": [0.1]},
        },
    },
    "objectives": [{"metric": "validation_loss", "direction": "minimize"}],
    "sampler": {"name": "tpe"},
    "pruner": {"name": "median"},
    "trials": 5,
    "storage": None,
}


@EXAMPLES
def test_search_spaces(examples: int) -> None:
    base = load(PROJECT / "configs" / "ttbar.yaml")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    samplers = [{**STUDY, "sampler": {"name": name}} for name in ("random", "grid")]
    sampler = optuna.samplers.RandomSampler(seed=1)

    def use(case: Any) -> None:
        tune = change(base, {"tune": case}).tune
        if tune is None:
            return
        assert TuningConfig.model_validate(tune.model_dump(mode="json")) == tune
        assert tune.number_of_trials() > 0
        with_values(base, suggest(optuna.create_study(sampler=sampler).ask(), tune))

    search(examples, st.one_of(*map(changed_data, [STUDY, *samplers])), use)


@EXAMPLES
def test_promotions(examples: int) -> None:
    champion = Version("ttbar", "1", "", datetime(2026, 1, 1, tzinfo=UTC), (), {}, "")
    numbers = st.one_of(st.floats(-1, 1), st.sampled_from([float("nan"), 0.0]))
    edges = {"jets": [1.5, 2.5, 3.5]}
    width = len(edges["jets"])  # all events, and each bin
    measured = st.builds(
        lambda values: Replicated(
            np.array(values[:width]), np.reshape(values[width:], (-1, width))
        ),
        st.lists(numbers, min_size=4 * width, max_size=4 * width),
    )
    settings = changed_data(
        {"least_gain": 0.0, "p_value_max": 1.0, "no_regression_in": edges, "metric": None}
    )
    base = load(PROJECT / "configs" / "ttbar.yaml")

    def use(case: tuple[list[Replicated], Any]) -> None:
        pair, said = case
        rules: ReconstructionPromotionConfig = base.promotion  # type: ignore[assignment]
        try:
            rules = change(base, {"promotion": said}).promotion  # type: ignore[assignment]
        except RootflowError:
            rules = rules.model_copy(update={"least_gain": -1.0, "p_value_max": 1.0})
        rules = rules.model_copy(update={"no_regression_in": edges})
        contest = decide(9, pair, rules, 1)
        reasons = shortfalls(contest, champion, rules)
        assert tags_of_run({name: str(value) for name, value in numbers_of(contest).items()})
        gain = pair[0].values[0] - pair[1].values[0]
        if not reasons:
            assert gain >= rules.least_gain
        assert np.isfinite([*pair[0].values, *pair[1].values]).all()

    search(examples, st.tuples(st.lists(measured, min_size=2, max_size=2), settings), use)


def test_the_harness_sees_what_is_no_own_error() -> None:
    def use(value: int) -> None:
        if value > 100:
            raise TypeError(value)

    with pytest.raises(TypeError, match="101"):
        search(250, st.integers(), use)

    def say(value: int) -> None:
        raise click.UsageError(f"{value}\nand a second line")

    with pytest.raises(AssertionError, match="second line"):
        search(250, st.integers(), say)
