from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import keras
import numpy as np
import onnx
import pytest

from exporting import about_ttbar, exported_network
from rootflow.config import FoldsConfig
from rootflow.config.export import ExportConfig, Target
from rootflow.config.model import (
    BinnedNeutrinosConfig,
    FeedForwardConfig,
    FlowNeutrinosConfig,
    ModelConfig,
    NeutrinosConfig,
    SetTransformerConfig,
)
from rootflow.dataset import Events
from rootflow.export.preparation import prepare
from rootflow.export.targets import TARGETS
from rootflow.methods.exported import OnnxMethod
from rootflow.methods.trained import TrainedMethod
from rootflow.models.architectures import build_model
from rootflow.models.networks import BUILDERS
from rootflow.models.neutrinos import known_neutrinos
from rootflow.models.normalisation import fit_normalisation
from runtimes import prepared_holds
from small_architectures import all_architectures, covering_architectures, covers_pairs

COMBINATIONS = covering_architectures()
OTHERS = {name: each for name, each in all_architectures().items() if name not in COMBINATIONS}
OF_MANY_OPERATIONS = "set_transformer-flow-no_match-confidence"
EVERY_TARGET = get_args(Target)
SLOTS = 3
LAST_OPSET_OF_THE_OLDEST = 18
TRAINING_ONLY = {"Dropout", "RandomUniform", "RandomNormal", "BatchNormalization"}


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
    ids=["feed_forward-binned", "set_transformer-flow"],
)
def test_networks_are_exported_and_proven(
    config: ModelConfig, real_events: Events, tmp_path: Path
) -> None:
    keras.utils.set_random_seed(2)
    few = real_events.take(slice(0, 3000))
    normalisation = fit_normalisation([(few, few.weight)])
    model = build_model(config, few.features, max_jets=8, normalisation=normalisation)
    _bend(model)
    made = exported_network(model, few, tmp_path / "onnx", name=config.name)
    assert made.named_path.name == f"ttbar_{config.name}_applied_to_fold0of5.onnx"
    assert max(row["probability"] for row in made.parity) <= 1e-5
    assert max(row["momentum"] for row in made.parity) <= 1e-3
    unseen = few.take(few.fold == 0).take(slice(0, 100))
    told = OnnxMethod(made.named_path, name="onnx").answer(unseen)
    wanted = TrainedMethod("keras", model, FoldsConfig(), few.features).answer(unseen)
    np.testing.assert_array_equal(told.assignment, wanted.assignment)
    np.testing.assert_allclose(told.scores, wanted.scores, atol=1e-5)
    np.testing.assert_allclose(told.neutrinos, wanted.neutrinos, rtol=1e-3, atol=1e-2)
    named = {tensor.name for tensor in OnnxMethod(made.named_path, name="onnx").contract.outputs}
    assert ("confidence" in named) == config.confidence


def proven_for_every_target(config: ModelConfig, events: Events, **more: Any) -> None:
    """Convert, lay out and prove a small network, which fails where ONNX and Keras differ."""
    keras.utils.set_random_seed(2)
    normalisation = fit_normalisation([(events, events.weight)])
    model = build_model(config, events.features, max_jets=SLOTS, normalisation=normalisation)
    _bend(model)
    settings = ExportConfig(targets=EVERY_TARGET, **more)
    made = prepare(model, events, about_ttbar(), settings)
    assert {row["variant"] for row in made.parity} == {"named", "flat", "athena"}
    for (target, _), contract in made.contracts.items():
        outputs = {tensor.name for tensor in contract.outputs}
        confident = any(name.endswith("confidence") for name in outputs)
        assert confident == (config.confidence and target != "topcptoolkit-flat")
        proto = onnx.ModelProto.FromString(made.contents[target, "float32"])
        _is_tidy(proto)
    if settings.opset <= LAST_OPSET_OF_THE_OLDEST:
        prepared_holds(made, events)


def _is_tidy(proto: onnx.ModelProto) -> None:
    """Check that nothing is in a graph that is not used, or that is there for training."""
    graph = proto.graph
    used = {name for node in graph.node for name in node.input} | {v.name for v in graph.output}
    assert {value.name for value in graph.input} <= used
    assert {tensor.name for tensor in graph.initializer} <= used
    for node in graph.node:
        assert set(node.output) & used
        assert node.op_type not in TRAINING_ONLY
    assert not any(tensor.external_data for tensor in graph.initializer)
    assert [entry.domain for entry in proto.opset_import] == [""]


@pytest.mark.parametrize("config", COMBINATIONS.values(), ids=COMBINATIONS)
def test_every_architecture_with_every_head_is_proven_for_every_target(
    config: ModelConfig, few_events: Events
) -> None:
    proven_for_every_target(config, few_events)


@pytest.mark.exhaustive
@pytest.mark.parametrize("config", OTHERS.values(), ids=OTHERS)
def test_all_other_combinations_are_proven_for_every_target(
    config: ModelConfig, few_events: Events
) -> None:
    proven_for_every_target(config, few_events)


@pytest.mark.parametrize("opset", [15, 18, 19, 20])
def test_every_operator_set_is_proven_for_every_target(opset: int, few_events: Events) -> None:
    proven_for_every_target(COMBINATIONS[OF_MANY_OPERATIONS], few_events, opset=opset)


@pytest.mark.parametrize("name", [OF_MANY_OPERATIONS, "feed_forward-binned-no_match-confidence"])
def test_networks_are_proven_by_the_converter_of_keras_too(name: str, few_events: Events) -> None:
    proven_for_every_target(COMBINATIONS[name], few_events, converter="keras")


def test_every_architecture_and_every_head_is_tried() -> None:
    tried = COMBINATIONS.values()
    assert covers_pairs(COMBINATIONS)
    assert {config.architecture for config in tried} == set(BUILDERS)
    assert set(EVERY_TARGET) == set(TARGETS)
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
    for weight in known_neutrinos(model)[0].trainable_weights:
        weight.assign(weight + random.normal(scale=0.1, size=weight.shape))
