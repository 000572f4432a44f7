from pathlib import Path

import keras
import numpy as np
import pytest

from rootflow.config import (
    BinnedNeutrinosConfig,
    ExportConfig,
    FeedForwardConfig,
    FlowNeutrinosConfig,
    FoldsConfig,
    ModelConfig,
    SetTransformerConfig,
)
from rootflow.dataset import Events
from rootflow.export import export
from rootflow.models import build_model, fit_normalisation, known_neutrinos
from rootflow.reconstruction.network import KerasReconstructor
from rootflow.reconstruction.onnx import OnnxReconstructor
from toy_events import UNITS


@pytest.mark.parametrize(
    "config",
    [
        FeedForwardConfig(architecture="feed_forward", width=32),
        SetTransformerConfig(architecture="set_transformer", width=16, depth=2),
        FeedForwardConfig(
            architecture="feed_forward",
            width=32,
            neutrinos=BinnedNeutrinosConfig(head="binned"),
            confidence=True,
        ),
        FeedForwardConfig(
            architecture="feed_forward",
            width=32,
            neutrinos=FlowNeutrinosConfig(head="flow", layers=2, samples=16),
        ),
        FeedForwardConfig(
            architecture="feed_forward",
            width=32,
            neutrinos=FlowNeutrinosConfig(head="flow", layers=2, samples=16, point="mean"),
        ),
    ],
    ids=lambda config: f"{config.architecture}-{config.neutrinos.head}",
)
def test_every_architecture_exports(
    config: ModelConfig, real_events: Events, tmp_path: Path
) -> None:
    keras.utils.set_random_seed(2)
    few = real_events.take(slice(0, 3000))
    normalisation = fit_normalisation([(few, few.weight)])
    model = build_model(config, few.features, max_jets=8, normalisation=normalisation)
    # Fresh heads begin as if they knew nothing: let the splines bend, too.
    random = np.random.default_rng(3)
    for weight in known_neutrinos(model).head.trainable_weights:
        weight.assign(weight + random.normal(scale=0.1, size=weight.shape))
    made = export(
        model,
        few,
        FoldsConfig(),
        ExportConfig(),
        {},
        tmp_path / "onnx",
        units=UNITS,
        name=config.name,
    )
    assert made.named_path.name == f"ttbar_{config.name}_applied_to_fold0of5.onnx"
    assert max(row["probability"] for row in made.parity) <= 1e-5
    assert max(row["momentum"] for row in made.parity) <= 1e-3
    unseen = few.take(few.fold == 0).take(slice(0, 100))
    told = OnnxReconstructor("onnx", made.named_path).reconstruct(unseen)
    wanted = KerasReconstructor("keras", model, FoldsConfig(), few.features).reconstruct(unseen)
    np.testing.assert_array_equal(told.assignment, wanted.assignment)
    np.testing.assert_allclose(told.scores, wanted.scores, atol=1e-5)
    np.testing.assert_allclose(told.neutrinos, wanted.neutrinos, rtol=1e-3, atol=1e-2)
    named = {tensor.name for tensor in OnnxReconstructor("onnx", made.named_path).contract.outputs}
    assert ("confidence" in named) == config.confidence
