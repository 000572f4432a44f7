"""Evaluations of toy models on toy events."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from rootflow.config import ClassificationEvaluationConfig
from rootflow.dataset import Events
from rootflow.dataset.manifest import Sample
from rootflow.evaluation.classification.evaluate import evaluate
from rootflow.evaluation.classification.evaluation import ClassificationEvaluation
from rootflow.evaluation.classification.labelled import CLASSES
from toy_classes import COUNTS, INPUTS, M4L, SAMPLES, GaussianModel, toy_classes


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
        classes: Sequence[str] = CLASSES,
        **config: Any,
    ) -> ClassificationEvaluation:
        drawn = {"observable": "m4l", "observable_window": (70.0, 250.0), "observable_bins": 36}
        settings = ClassificationEvaluationConfig(**{"replicas": 100, **drawn, **config})
        observable = M4L if settings.observable else None
        return evaluate(
            events,
            samples,
            models or [GaussianModel()],
            INPUTS,
            settings,
            seed,
            observable,
            classes,
        )

    return run


@pytest.fixture(scope="session")
def classification(
    toy_events_of_classes: Events, evaluated: Callable[..., ClassificationEvaluation]
) -> ClassificationEvaluation:
    """Return an evaluation of a good and of a worse model."""
    models = GaussianModel(), GaussianModel("noisy", noise=1.0)
    return evaluated(toy_events_of_classes, *models, energy_tev=13.0)
