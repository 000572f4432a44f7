"""Networks while their products are computed in 16 bits, and after that."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pytest

from rootflow.analyses.h4l import INPUTS
from rootflow.config.model import DeepSetConfig, ModelConfig, SetTransformerClassifierConfig
from rootflow.dataset import Events
from rootflow.errors import UsageError
from rootflow.models.architectures import build_model
from rootflow.models.classifier_inputs import classifier_inputs, fit_classifier_normalisation
from rootflow.models.classifiers import build_classifier
from rootflow.models.normalisation import Normalisation
from rootflow.models.precision import computing_in
from toy_four_leptons import H4L_UNITS, toy_four_leptons

# What a mantissa of 8 or 11 bits does to a probability, as a mean over events.
NEAR = {"mixed_bfloat16": 0.05, "mixed_float16": 0.008}
CLASSIFIERS = [
    DeepSetConfig(architecture="deep_set", width=16, depth=2, dropout=0.0),
    SetTransformerClassifierConfig(architecture="set_transformer", width=16, heads=2, dropout=0.0),
]


def require_mixed(network: keras.Model, inputs: Mapping[str, Any]) -> None:
    """Check that a network computes otherwise, but almost the same, and after that as before."""

    def say() -> dict[str, np.ndarray]:
        said = network(inputs, training=True)
        return {name: keras.ops.convert_to_numpy(said[name]) for name in network.output}

    exact = say()
    for precision, near in NEAR.items():
        with computing_in(precision, network):
            mixed = say()
        assert all(array.dtype == np.float32 for array in mixed.values())
        assert any(np.any(mixed[name] != exact[name]) for name in exact)
        for name in {"assignment", "confidence", "score", "probabilities"} & set(exact):
            assert np.mean(np.abs(mixed[name] - exact[name])) < near
        assert all(np.all(np.isfinite(array)) for array in mixed.values())
    for name, array in say().items():
        np.testing.assert_array_equal(array, exact[name])


def test_networks_that_reconstruct(
    architecture: ModelConfig, few_events: Events, normalisation: Normalisation
) -> None:
    keras.utils.set_random_seed(3)
    quiet = {"dropout": 0.0} if hasattr(architecture, "dropout") else {}
    network = build_model(
        architecture.model_copy(update=quiet), few_events.features, 8, normalisation
    )
    require_mixed(network, few_events.inputs())


@pytest.mark.parametrize("config", CLASSIFIERS, ids=lambda config: config.architecture)
def test_networks_that_classify(config: Any) -> None:
    events = toy_four_leptons(300)
    chosen = classifier_inputs(INPUTS, events, H4L_UNITS)
    normalisation = fit_classifier_normalisation([(events, events.weight)], chosen)
    keras.utils.set_random_seed(3)
    network = build_classifier(config, chosen, normalisation, classes=3)
    require_mixed(network, {name: getattr(events, name) for name in network.input})


def test_a_network_without_products_of_keras_is_one_clear_error() -> None:
    inputs = keras.Input((3,))
    network = keras.Model(inputs, keras.ops.sin(inputs))
    with (
        pytest.raises(UsageError, match=r"training\.precision=mixed_bfloat16: .* no layer"),
        computing_in("mixed_bfloat16", network),
    ):
        pass
    with computing_in("float32", network):
        pass
