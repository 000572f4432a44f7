"""The flat variant: the named one between a graph that reads and a graph that writes."""

from typing import Any

import keras
import onnx
from keras import ops

from rootflow.export.conversion import chained, convert
from rootflow.export.layout import FLAT_INPUT, MEV_IN_A_GEV, FlatLayout

JOINT = "joint"


def flat_variant(named: onnx.ModelProto, layout: FlatLayout, opset: int) -> onnx.ModelProto:
    """Return the named variant with the flat input, and outputs `assignment` and `regression`."""
    reader, writer = flat_to_inputs(layout), outputs_to_flat(layout)
    reading = chained(convert(reader, opset), named, {name: name for name in reader.output})
    links = {"assignment": JOINT, "neutrinos": "neutrinos"}
    return chained(reading, convert(writer, opset), links)


def flat_to_inputs(layout: FlatLayout) -> keras.Model:
    """Return what makes the network's inputs from the flat one."""
    flat = keras.Input((layout.size,), name=FLAT_INPUT)
    inputs: dict[str, Any] = {}
    for collection, place, shape in layout.parts():
        values = ops.reshape(flat[:, place], (-1, *shape))
        scaled = values * layout.factors(collection)
        if collection == "jets":
            pt = values[:, :, layout.features["jets"].index("pt")]
            inputs["jet_mask"] = ops.greater(pt, 0.0)
            scaled = ops.where(ops.expand_dims(inputs["jet_mask"], -1), scaled, 0.0)
        inputs[collection] = scaled if collection in ("jets", "leptons") else scaled[:, 0]
    return keras.Model({FLAT_INPUT: flat}, inputs, name="flat_to_inputs")


def outputs_to_flat(layout: FlatLayout) -> keras.Model:
    """Return what makes the outputs of the flat variant from the network's.

    `assignment` (n, J, 2): in column 0 the probability of the best pair in which this jet
    is that of b, in column 1 the same for bbar; `regression` (n, 2, 3): momenta in MeV.
    """
    joint = keras.Input((layout.max_jets, layout.max_jets), name=JOINT)
    neutrinos = keras.Input((2, 3), name="neutrinos")
    outputs = {
        "assignment": ops.stack([ops.max(joint, axis=2), ops.max(joint, axis=1)], axis=-1),
        "regression": neutrinos * MEV_IN_A_GEV,
    }
    return keras.Model({JOINT: joint, "neutrinos": neutrinos}, outputs, name="outputs_to_flat")
