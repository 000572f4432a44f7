from dataclasses import replace
from pathlib import Path
from typing import get_args

import keras
import numpy as np
import pytest
from onnxruntime import InferenceSession

from rootflow.config import (
    BinnedNeutrinosConfig,
    ExportConfig,
    FeedForwardConfig,
    FlowNeutrinosConfig,
    FoldsConfig,
    ModelConfig,
    SetTransformerConfig,
)
from rootflow.config.neutrinos import NeutrinosConfig
from rootflow.dataset import Events
from rootflow.export import export
from rootflow.export.conversion import convert
from rootflow.models import build_model, fit_normalisation, known_neutrinos
from rootflow.models.networks import BUILDERS
from rootflow.reconstruction.network import KerasReconstructor
from rootflow.reconstruction.onnx import OnnxReconstructor
from small_architectures import small_architectures
from toy_events import UNITS

COMBINATIONS = small_architectures()
SLOTS = 3


@pytest.mark.parametrize(
    "config",
    [
        FeedForwardConfig(
            architecture="feed_forward",
            width=32,
            neutrinos=BinnedNeutrinosConfig(head="binned"),
            confidence=True,
        ),
        SetTransformerConfig(
            architecture="set_transformer",
            width=16,
            depth=2,
            neutrinos=FlowNeutrinosConfig(head="flow", layers=2, samples=16, point="mean"),
        ),
    ],
    ids=lambda config: f"{config.architecture}-{config.neutrinos.head}",
)
def test_networks_are_exported_and_proven(
    config: ModelConfig, real_events: Events, tmp_path: Path
) -> None:
    keras.utils.set_random_seed(2)
    few = real_events.take(slice(0, 3000))
    normalisation = fit_normalisation([(few, few.weight)])
    model = build_model(config, few.features, max_jets=8, normalisation=normalisation)
    _bend(model)
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


@pytest.mark.parametrize("config", COMBINATIONS.values(), ids=COMBINATIONS)
def test_every_architecture_is_the_same_in_onnx_with_every_head(
    config: ModelConfig, few_events: Events
) -> None:
    keras.utils.set_random_seed(2)
    normalisation = fit_normalisation([(few_events, few_events.weight)])
    model = build_model(config, few_events.features, max_jets=SLOTS, normalisation=normalisation)
    _bend(model)
    inputs = few_events.inputs()
    wanted = model(inputs, training=False)
    proto = convert(model, ExportConfig().opset)
    said = InferenceSession(proto.SerializeToString()).run(list(wanted), inputs)
    for name, array in zip(wanted, said, strict=True):
        limits = {"rtol": 1e-3, "atol": 1e-2} if name == "neutrinos" else {"atol": 1e-5}
        np.testing.assert_allclose(array, wanted[name], **limits, err_msg=name)


def test_every_architecture_and_every_head_is_tried() -> None:
    tried = COMBINATIONS.values()
    assert {config.architecture for config in tried} == set(BUILDERS)
    heads = get_args(get_args(NeutrinosConfig)[0])
    assert {type(config.neutrinos) for config in tried} == set(heads)


@pytest.fixture(scope="module")
def few_events(real_events: Events) -> Events:
    """Return events without the slots that none of them fills: small networks are quick."""
    few = real_events.take(real_events.jet_mask.sum(axis=1) <= SLOTS).take(slice(0, 200))
    return replace(few, jets=few.jets[:, :SLOTS], jet_mask=few.jet_mask[:, :SLOTS])


def _bend(model: keras.Model) -> None:
    """Change the weights of the head, which begins as if it knew nothing: splines are straight."""
    random = np.random.default_rng(3)
    for weight in known_neutrinos(model).head.trainable_weights:
        weight.assign(weight + random.normal(scale=0.1, size=weight.shape))
