"""An evaluation of toy methods."""

import pytest

from rootflow.config import EvaluationConfig
from rootflow.evaluation.reconstruction import Assessment, Evaluation, assess
from rootflow.methods.make import make_method
from toy_events import toy_events
from toy_networks import Drawing

CLASSIC = ("random", "delta_r", "m_lb", "truth")


@pytest.fixture(scope="session")
def assessment() -> Assessment:
    methods = [Drawing(), *(make_method(name, 1) for name in CLASSIC)]
    config = EvaluationConfig(
        replicas=50,
        energy_tev=13,
        bins={"jets": [1.5, 2.5, 3.5, 4.5], "top_pt": [0, 50, 100, 200, 500]},
        drawn=["mtt"],
        displays=1,
        posterior_events=100,
    )
    return assess(toy_events(1000), methods, config, seed=1)


@pytest.fixture(scope="session")
def evaluation(assessment: Assessment) -> Evaluation:
    return assessment.evaluation
