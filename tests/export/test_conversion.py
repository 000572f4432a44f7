from typing import get_args

import keras
import numpy as np
import onnx
import pytest
from keras import layers, ops

from rootflow.config.export import Converter
from rootflow.errors import RootflowError
from rootflow.export.conversion import compiled, convert
from rootflow.exported.session import open_session
from small_network import small_network


def shapes(values: object) -> dict[str, list[int | str]]:
    return {
        value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in values
    }


@pytest.mark.parametrize("opset", [15, 18])
def test_tensors_are_named_and_only_the_batch_axis_is_free(opset: int) -> None:
    proto = convert(small_network(max_jets=4), opset)
    assert shapes(proto.graph.input) == {
        "jets": ["batch", 4, 5],
        "jet_mask": ["batch", 4],
        "leptons": ["batch", 2, 5],
        "met": ["batch", 2],
    }
    assert shapes(proto.graph.output) == {
        "assignment": ["batch", 4, 4],
        "neutrinos": ["batch", 2, 3],
    }
    assert [(each.domain, each.version) for each in proto.opset_import] == [("", opset)]
    assert not any(tensor.external_data for tensor in proto.graph.initializer)


@pytest.mark.parametrize("activation", ["gelu", "celu", "silu", "softplus"])
def test_activations_come_out_right(activation: str) -> None:
    model = small_network(max_jets=3, activation=activation)
    random = np.random.default_rng(5)
    inputs = {
        "jets": random.uniform(-300, 300, (50, 3, 5)).astype(np.float32),
        "jet_mask": random.random((50, 3)) < 0.8,
        "leptons": random.uniform(-300, 300, (50, 2, 5)).astype(np.float32),
        "met": random.uniform(-300, 300, (50, 2)).astype(np.float32),
    }
    session = open_session(convert(model, 17).SerializeToString())
    wanted = compiled(model)(inputs)
    for name, said in zip(wanted, session.run(list(wanted), inputs), strict=True):
        np.testing.assert_allclose(said, wanted[name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("converter", get_args(Converter))
def test_log1p_and_expm1_are_made_of_other_operations(converter: Converter) -> None:
    numbers = keras.Input((4,), name="numbers")
    outputs = {"log1p": ops.log1p(numbers), "expm1": ops.expm1(numbers)}
    proto = convert(keras.Model({"numbers": numbers}, outputs, name="functions"), 17, converter)
    values = np.float32([[0.0, 1e-3, 1.0, 5.0]])
    log1p, expm1 = open_session(proto.SerializeToString()).run(
        ["log1p", "expm1"], {"numbers": values}
    )
    np.testing.assert_allclose(log1p, np.log1p(values), atol=1e-7, rtol=1e-6)
    np.testing.assert_allclose(expm1, np.expm1(values), atol=1e-7, rtol=1e-6)


def test_an_operation_that_onnx_lacks_is_named() -> None:
    with pytest.raises(RootflowError, match="operator set 17 has no Erfinv"):
        convert(small_network(momenta=ops.erfinv), 17)


class Noise(layers.Layer):
    """Adds noise whether it is trained or not."""

    def call(self, values: object) -> object:
        return values + keras.random.uniform(ops.shape(values), seed=3)


def test_a_random_operation_is_refused() -> None:
    with pytest.raises(RootflowError, match="has no StatelessRandomUniform"):
        convert(small_network(hidden=Noise()), 17)


def test_dropout_is_left_out() -> None:
    proto = convert(small_network(hidden=layers.Dropout(0.5)), 17)
    assert not {"Dropout", "RandomUniform"} & {node.op_type for node in proto.graph.node}


def test_an_input_that_is_not_used_is_refused() -> None:
    with pytest.raises(RootflowError, match="it does not use met"):
        convert(small_network(use_met=False), 17)


def test_an_adapted_normalisation_adds_no_input() -> None:
    normalisation = layers.Normalization()
    normalisation.adapt(np.random.default_rng(0).normal(size=(64, 32)))
    proto = convert(small_network(hidden=normalisation), 17)
    assert {value.name for value in proto.graph.input} == {"jets", "jet_mask", "leptons", "met"}


def test_the_file_passes_the_full_check() -> None:
    onnx.checker.check_model(convert(small_network(), 17), full_check=True)
