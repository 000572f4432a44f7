from typing import Any

import keras
import numpy as np
import pytest
from onnx import TensorProto

from exporting import about_ttbar
from rootflow.config.export import ExportConfig
from rootflow.config.model import SetTransformerConfig
from rootflow.dataset import Events
from rootflow.errors import RootflowError
from rootflow.export.conversion import Converted, convert
from rootflow.export.precision import cost, rounded
from rootflow.export.preparation import prepare
from rootflow.export.writing import Prepared
from rootflow.exported.session import open_session
from rootflow.models.architectures import build_model
from rootflow.models.normalisation import fit_normalisation
from runtimes import prepared_holds
from small_network import small_network


@pytest.mark.parametrize("bits", ["float16", "int8"])
def test_lower_precisions_take_and_give_float32(in_mev_and_int8: Prepared, bits: str) -> None:
    (row,) = [row for row in in_mev_and_int8.physics if row["precision"] == bits]
    assert row["accuracy_loss"] == pytest.approx(row["accuracy_before"] - row["accuracy_after"])
    assert 0 <= row["accuracy_loss_error"] < 0.1
    assert row["mtt_error_after"] == pytest.approx(row["mtt_error_before"], rel=0.2)
    parity = [row for row in in_mev_and_int8.parity if row["precision"] == bits]
    assert {row["variant"] for row in parity} == {"named", "flat", "athena"}
    assert 1e-7 < max(row["probability"] for row in parity) < 0.1
    for target in ("named", "topcptoolkit-flat", "athena"):
        content = in_mev_and_int8.contents[target, bits]  # type: ignore[index]
        session = open_session(content)
        types = {tensor.type for tensor in (*session.get_inputs(), *session.get_outputs())}
        assert types <= {"tensor(float)", "tensor(bool)"}
        contract = in_mev_and_int8.contracts[target, bits]  # type: ignore[index]
        assert contract.precision == bits
        assert contract.metrics["accuracy_loss"] == row["accuracy_loss"]
    name = in_mev_and_int8.names["topcptoolkit-flat", bits]  # type: ignore[index]
    assert name.endswith(f"_applied_to_even_flat_{bits}.onnx")


def test_float16_leaves_masses_and_masks_as_they_are(real_events: Events) -> None:
    few = real_events.take(slice(0, 300))
    config = SetTransformerConfig(architecture="set_transformer", width=16, depth=1)
    normalisation = fit_normalisation([(few, few.weight)])
    network = convert(build_model(config, few.features, 8, normalisation), 17)
    half = rounded(network, "float16", few.inputs())
    assert sum(tensor.data_type == TensorProto.FLOAT16 for tensor in half.graph.initializer) > 5
    assert half.ByteSize() < network.ByteSize()
    said, wanted = (
        open_session(proto.SerializeToString()).run(["assignment"], few.inputs())[0]
        for proto in (half, network)
    )
    assert 0 < np.max(np.abs(said - wanted)) < 0.02


def test_an_event_of_int8_does_not_depend_on_its_company(
    in_mev_and_int8: Prepared, toys: Events
) -> None:
    session = open_session(in_mev_and_int8.contents["named", "int8"])
    inputs = toys.take(slice(0, 40)).inputs()
    together = session.run(None, inputs)
    for place in (0, 17, 39):
        alone = session.run(None, {name: array[[place]] for name, array in inputs.items()})
        for said, wanted in zip(alone, together, strict=True):
            np.testing.assert_allclose(said[0], wanted[place], rtol=1e-5, atol=1e-6)


def converted(network: keras.Model, events: Events, **about: Any) -> Converted:
    prepared = prepare(network, events, about_ttbar(**about), ExportConfig())
    return prepared.converted["float32"]


def test_a_loss_above_the_limit_is_refused(toys: Events) -> None:
    network = converted(small_network(max_jets=4), toys)
    int8 = network._replace(precision="int8")
    row = cost(network, int8, 0.0, toys)
    assert row["accuracy_loss"] == row["accuracy_loss_error"] == 0
    with pytest.raises(RootflowError, match=r"int8 costs 0\.0000 .* export\.accuracy_loss_max"):
        cost(network, int8, -1e-9, toys)
    unmatched = toys.take(np.any(toys.assignment < 0, axis=1))
    with pytest.raises(RootflowError, match="no event has both b jets"):
        cost(network, int8, 0.1, unmatched)


def test_every_precision_holds_in_every_onnxruntime(
    in_mev_and_int8: Prepared, toys: Events
) -> None:
    assert {precision for _, precision in in_mev_and_int8.contents} >= {"float16", "int8"}
    few = toys.take(slice(0, 200))
    prepared_holds(in_mev_and_int8, few)
