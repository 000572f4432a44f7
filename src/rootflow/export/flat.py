"""The flat variant: the named one between a graph that reads and a graph that writes."""

import json
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import onnx
from keras import ops

from rootflow.export.contract import Origin, contract_of, momenta, output
from rootflow.export.conversion import chained, convert
from rootflow.export.entries import BATCH_AXIS, range_of
from rootflow.export.layout import (
    FLAT_INPUT,
    GROUPS,
    MEV,
    MEV_IN_A_GEV,
    PADDING_VALUE,
    FlatLayout,
)
from rootflow.exported.contract import Feature, OnnxContract, Tensor

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


def flat_contract(origin: Origin, layout: FlatLayout) -> OnnxContract:
    """Return the contract of the variant with one flat input."""
    flat = Tensor(
        name=FLAT_INPUT,
        type="float32",
        shape=(BATCH_AXIS, layout.size),
        meaning="the features in this order",
        features=tuple(_features(origin, layout)),
    )
    assignment = output(
        "assignment",
        (BATCH_AXIS, layout.max_jets, 2),
        "probability of the best pair with this jet as that of b (0) and of bbar (1): "
        "the largest in each column is the most probable pair",
    )
    return contract_of(
        origin,
        layout,
        variant="flat",
        unit=MEV,
        padding=f"{PADDING_VALUE} in every feature of an absent jet",
        inputs=[flat],
        outputs=[assignment, momenta("regression", (BATCH_AXIS, 2, 3), MEV)],
    )


def flat_entries(layout: FlatLayout) -> dict[str, str]:
    """Return the metadata that a dileptonic assigner in the ntuple production reads."""
    return {
        "NN_padding_value": str(PADDING_VALUE),
        "input_names": ",".join(GROUPS[name] for name in layout.collections),
        **{GROUPS[name]: ",".join(layout.names(name)) for name in layout.collections},
        FLAT_INPUT: json.dumps([slot._asdict() for slot in layout.slots()]),
    }


def _features(origin: Origin, layout: FlatLayout) -> Iterator[Feature]:
    slots = iter(layout.slots())
    for collection in layout.collections:
        objects, columns = layout.shape(collection)
        # Of jets there is one range for all; a lepton's sign is its own.
        ranges = np.broadcast_to(origin.ranges[collection], (objects, columns, 2))
        values = ranges / layout.factors(collection)[..., np.newaxis]
        for place, slot in zip(np.ndindex(objects, columns), slots, strict=False):
            yield Feature(
                name=slot.name,
                unit=slot.unit,
                padding=PADDING_VALUE if collection == "jets" else None,
                range=range_of(values[place]),
            )
