"""Each setting of the evaluation off its default: other answers, or other results of them."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from other_values import EVALUATE
from rootflow.analyses.h4l import H4lEvaluationConfig
from rootflow.config import EvaluationConfig
from rootflow.dataset import Events
from rootflow.evaluation.classification import evaluate, observable_of, save
from rootflow.evaluation.reconstruction import assess
from rootflow.evaluation.reconstruction import save as save_evaluation
from rootflow.evaluation.reconstruction.migration import unfoldings
from rootflow.methods.make import make, make_method
from rootflow.ntuple import Feature
from small_configurations import dataset_of, few, of_kind
from toy_classes import INPUTS, SAMPLES, GaussianModel, toy_classes
from toy_events import toy_events
from toy_networks import Drawing

METHODS = "evaluation.methods"
# What they need, and what they are made of.
NEEDED: dict[str, dict[str, Any]] = {
    "hybrid": {"assignment": "delta_r", "neutrinos": "truth"},
    "own": {"name": "own", "code": "own_methods:InOrder"},
    "ensemble": {"of": ["model", "other"]},
    "smeared_ellipse": {"throws": 3},
    "neutrino_weighting": {"eta_step": 1.0},
}
# Networks that are trained or fetched by the step: `test_line` takes them through it.
OF_NETWORKS = ("variant", "model", "ensemble")
OF_METHODS = [
    path
    for path in EVALUATE["ttbar"]
    if path.startswith(f"{METHODS}[") and of_kind(path)[0] not in OF_NETWORKS
]
COUNTS = {"ggH": 40, "VBFH": 20, "ZZ": 80, "ttbar": 20}


SETTINGS = [
    (analysis, path)
    for analysis, others in EVALUATE.items()
    for path in others
    if not path.startswith(METHODS)
]


@pytest.fixture(scope="module")
def events(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Events:
    """Return some real events with neutrinos in the ntuple."""
    config = few("ttbar", samples, {"data.branch_map": "topcptoolkit_nuflows"})
    return dataset_of(config, tmp_path_factory.mktemp("datasets")).events(slice(0, 40))


def answers(method: Mapping[str, Any], events: Events) -> list[bytes]:
    """Return what a method says of events."""
    [configured] = EvaluationConfig(methods=[method]).methods
    [made] = make([configured], 1, make_method("truth", 1))
    said = made.answer(events)
    arrays = (said.assignment, said.neutrinos, said.scores)
    return [made.name.encode(), *(np.asarray(array).tobytes() for array in arrays)]


def method_with(path: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a method with its needs and these settings, `resolution.lepton` being one inside."""
    kind, _ = of_kind(path)
    method: dict[str, Any] = {"method": kind, **NEEDED.get(kind, {})}
    for name, value in values.items():
        outer, _, inner = name.rpartition(".")
        (method.setdefault(outer, {}) if outer else method)[inner] = value
    return method


@pytest.mark.parametrize("path", OF_METHODS)
def test_other_value_makes_other_answers(path: str, events: Events) -> None:
    other = EVALUATE["ttbar"][path]
    setting = path.partition("].")[2]
    before = answers(method_with(path, other.given), events)
    after = answers(method_with(path, {**other.given, setting: other.value}), events)
    assert before != after


RESULTS = "evaluation.json"


def inside(path: str) -> str:
    return path.removeprefix("evaluation.")


def result(analysis: str, values: Mapping[str, Any], directory: Path) -> tuple[str, list[str]]:
    """Return an evaluation of toys, and what is unfolded of it."""
    directory.mkdir()
    unfolded: list[str] = []
    if analysis == "h4l":
        config = H4lEvaluationConfig(**{"replicas": 4, "importance_events": 20, **values})
        drawn = observable_of(config, {"event": [Feature(name="m4l", unit="GeV", branches=())]})
        models = [GaussianModel()]
        found = evaluate(toy_classes(COUNTS), SAMPLES, models, INPUTS, config, 1, drawn)
        save(found, directory / RESULTS)
    else:
        quick = {"replicas": 4, "importance_events": 0, "posterior_events": 0, "displays": 2}
        configured = EvaluationConfig(**{**quick, **values})
        methods = [Drawing(), make_method("m_lb", 1), make_method("truth", 1)]
        evaluation, sample, candidates = assess(toy_events(60), methods, configured, 1)
        save_evaluation(evaluation, directory / RESULTS)
        unfolded = [str(each) for each in unfoldings(configured.unfold, candidates, sample)]
    found = json.loads((directory / RESULTS).read_text())
    found.pop("rootflow.sha256", None)  # of the seconds, too
    for method in found.get("methods", []):
        del method["cost"]
    return json.dumps(found), unfolded


@cache
def before(analysis: str, given: str, directory: Path) -> tuple[str, list[str]]:
    return result(analysis, json.loads(given), directory / f"{analysis}{len(given)}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("before")


@pytest.mark.parametrize(("analysis", "path"), SETTINGS)
def test_other_value_makes_other_results(
    analysis: str, path: str, folder: Path, tmp_path: Path
) -> None:
    other = EVALUATE[analysis][path]
    given = {inside(each): value for each, value in other.given.items()}
    after = result(analysis, {**given, inside(path): other.value}, tmp_path / "after")
    assert (before(analysis, json.dumps(given), folder) != after) == other.decides
