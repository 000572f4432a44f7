"""Evaluations of toy models on toy events."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from rootflow.config import ClassificationEvaluationConfig
from rootflow.dataset import Events
from rootflow.dataset.manifest import Sample
from rootflow.evaluation.classification.evaluate import evaluate
from rootflow.evaluation.classification.results import ClassificationEvaluation
from toy_classes import COUNTS, INPUTS, SAMPLES, GaussianModel, toy_classes


@pytest.fixture(scope="session")
def toy_events_of_classes() -> Events:
    return toy_classes(COUNTS)


@pytest.fixture(scope="session")
def evaluated() -> Callable[..., ClassificationEvaluation]:
    """Return a function that evaluates models on toy events, with few replicas."""

    def run(
        events: Events,
        *models: GaussianModel,
        seed: int = 1,
        samples: Sequence[Sample] = SAMPLES,
        **config: Any,
    ) -> ClassificationEvaluation:
        settings = ClassificationEvaluationConfig(**{"replicas": 100, **config})
        return evaluate(events, samples, models or [GaussianModel()], INPUTS, settings, seed)

    return run


@pytest.fixture(scope="session")
def classification(
    toy_events_of_classes: Events, evaluated: Callable[..., ClassificationEvaluation]
) -> ClassificationEvaluation:
    """Return an evaluation of a good and of a worse model."""
    models = GaussianModel(), GaussianModel("noisy", noise=1.0)
    return evaluated(toy_events_of_classes, *models, energy_tev=13.0)
