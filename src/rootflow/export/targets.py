"""Who reads the files: of each target, the graph, what it says of itself, and how it is asked."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
import onnx
from keras import ops

from rootflow.config.export import Target
from rootflow.export.about import (
    MEANING,
    VARIANTS,
    About,
    columns,
    contract_of,
    output,
    range_of,
    sealed,
)
from rootflow.export.athena import (
    ask_athena,
    athena_contract,
    athena_entries,
    athena_feeds,
    athena_graph,
    read_athena,
)
from rootflow.export.composing import BATCH_AXIS, FOLD, chained, with_scales
from rootflow.export.conversion import Converted, convert
from rootflow.export.layout import (
    FLAT_ASSIGNMENT,
    FLAT_INPUT,
    MEV,
    MEV_IN_A_GEV,
    NO_UNIT,
    PADDING_VALUE,
    Layout,
    flat_outputs,
    read_flat,
    write_flat,
)
from rootflow.export.parity import Claim
from rootflow.exported.contract import Feature, OnnxContract, Tensor
from rootflow.exported.session import Arrays

JOINT = "joint"


class TargetKind(NamedTuple):
    """A target's graph, what it says of itself, how it is proven, and metadata of its own."""

    graph: Callable[[Converted, About], onnx.ModelProto]
    contract: Callable[[About, Converted], OnnxContract]
    claim: Callable[[Converted, dict[str, Any]], Claim]
    entries: Callable[[OnnxContract, Layout], Mapping[str, str]]


def sealed_for(
    target: Target, proto: onnx.ModelProto, about: About, converted: Converted
) -> tuple[bytes, OnnxContract]:
    """Return a target's file with contract and checksum, and the contract."""
    kind = TARGETS[target]
    contract = kind.contract(about, converted)
    return sealed(proto, contract, kind.entries(contract, converted.layout)), contract


def claim_of(target: Target, content: bytes, about: About, converted: Converted) -> Claim:
    """Return a target's file as what is to be proven."""
    names = {
        "file": about.file_name(target),
        "variant": VARIANTS[target],
        "model": content,
        "precision": about.precision,
    }
    return TARGETS[target].claim(converted, names)


def _named_graph(converted: Converted, about: About) -> onnx.ModelProto:  # noqa: ARG001 - as others
    """Return the model with inputs in the unit; its outputs stay in GeV."""
    if converted.config.input_units == MEV:
        scales = {each.name: each.scales(MEV) for each in converted.layout.collections}
        return with_scales(converted.proto, scales)
    whole = onnx.ModelProto()
    whole.CopyFrom(converted.proto)
    return whole


def _named_contract(about: About, converted: Converted) -> OnnxContract:
    """Return the contract of the variant with one input for each collection."""
    layout, unit = converted.layout, converted.config.input_units
    collections = {each.name: each for each in layout.collections}
    masks = {each.mask: each for each in layout.collections if each.mask}
    inputs = []
    for name in converted.inputs:
        if name in collections:
            each = collections[name]
            shape: tuple[int, ...] = each.shape[1:] if each.slots is None else each.shape
            kind, said = "float32", columns(about, each, unit)
            meaning = MEANING.get(name, name)
        elif name == FOLD:
            shape, kind, said, meaning = (), "int64", (), MEANING[FOLD]
        else:
            shape, kind, said = (masks[name].slots or 0,), "bool", ()
            meaning = f"true where there is one of {masks[name].name}"
        inputs.append(
            Tensor(
                name=name,
                type=kind,
                shape=(BATCH_AXIS, *shape),
                meaning=meaning,
                unit=None if said else NO_UNIT,
                features=said,
            )
        )
    padded = " and ".join(f"zeros in {each.name}, false in {mask}" for mask, each in masks.items())
    return contract_of(
        about,
        layout,
        target="named",
        unit=unit,
        padding=padded or "none",
        inputs=inputs,
        outputs=[output(about, name, shape) for name, shape in converted.outputs.items()],
    )


def _named_claim(converted: Converted, names: dict[str, Any]) -> Claim:
    layout, unit = converted.layout, converted.config.input_units
    to_unit = {each.name: each.scales(unit) for each in layout.collections}
    to_gev = {name: np.float32(1) / scales for name, scales in to_unit.items()}

    def scaled(arrays: Arrays, scales: Mapping[str, Any]) -> Arrays:
        return {
            name: array * scales[name] if name in scales else array
            for name, array in arrays.items()
        }

    return Claim(
        **names,
        feeds=lambda inputs: scaled({name: inputs[name] for name in converted.inputs}, to_unit),
        # On what the graph has after the conversion: so the rounding of units does not count.
        expected=lambda feeds: converted.says(scaled(feeds, to_gev)),
    )


def _flat_graph(converted: Converted, about: About) -> onnx.ModelProto:
    """Return the model between a graph that reads the flat input and one that writes."""
    opset = about.opset
    reader = flat_to_inputs(converted.layout)
    whole = chained(convert(reader, opset), converted.proto, {name: name for name in reader.output})
    if "assignment" not in converted.outputs:
        return whole
    writer = outputs_to_flat(int(converted.outputs["assignment"][1]))
    links = {"assignment": JOINT, "neutrinos": "neutrinos"}
    return chained(whole, convert(writer, opset), links)


def flat_to_inputs(layout: Layout) -> keras.Model:
    """Return what makes the model's inputs from the flat one."""
    flat = keras.Input((layout.size,), name=FLAT_INPUT)
    return keras.Model({FLAT_INPUT: flat}, read_flat(flat, layout, ops), name="flat_to_inputs")


def outputs_to_flat(jets: int) -> keras.Model:
    """Return what makes the outputs of the flat variant from the network's."""
    joint = keras.Input((jets, jets), name=JOINT)
    neutrinos = keras.Input((2, 3), name="neutrinos")
    outputs = flat_outputs({"assignment": joint, "neutrinos": neutrinos}, ops)
    return keras.Model({JOINT: joint, "neutrinos": neutrinos}, outputs, name="outputs_to_flat")


def _flat_contract(about: About, converted: Converted) -> OnnxContract:
    """Return the contract of the variant with one flat input."""
    layout, shapes = converted.layout, converted.outputs
    features, slots = [], iter(layout.slots())
    for each in layout.collections:
        # Of masked objects there is one range for all; a lepton's sign is its own.
        ranges = np.broadcast_to(about.ranges[each.name], (*each.shape, 2))
        values = ranges / each.factors()[..., np.newaxis]
        padding = PADDING_VALUE if each.mask else None
        for place in np.ndindex(*each.shape):
            _, name, unit = next(slots)
            found = range_of(values[place])
            features.append(Feature(name=name, unit=unit, padding=padding, range=found))
    flat = Tensor(
        name=FLAT_INPUT,
        type="float32",
        shape=(BATCH_AXIS, layout.size),
        meaning="the features in this order",
        features=tuple(features),
    )
    if "assignment" in shapes:
        jets = shapes["assignment"][1]
        outputs = [
            output(about, "assignment", (BATCH_AXIS, jets, 2), meaning=FLAT_ASSIGNMENT),
            output(about, "regression", (BATCH_AXIS, 2, 3), MEV),
        ]
    else:
        outputs = [output(about, name, shape) for name, shape in shapes.items()]
    masked = any(each.mask for each in layout.collections)
    return contract_of(
        about,
        layout,
        target="topcptoolkit-flat",
        unit=MEV,
        padding=f"{PADDING_VALUE} in every feature of an absent object" if masked else "none",
        inputs=[flat],
        outputs=outputs,
    )


def _flat_claim(converted: Converted, names: dict[str, Any]) -> Claim:
    layout = converted.layout
    return Claim(
        **names,
        feeds=lambda inputs: {FLAT_INPUT: write_flat(inputs, layout)},
        expected=lambda feeds: flat_outputs(converted.says(read_flat(feeds[FLAT_INPUT], layout))),
        unit=MEV_IN_A_GEV,
    )


def _flat_entries(contract: OnnxContract, layout: Layout) -> dict[str, str]:  # noqa: ARG001
    """Return the metadata that a dileptonic assigner in the ntuple production reads."""
    return {
        "NN_padding_value": str(PADDING_VALUE),
        "input_names": ",".join(each.group for each in layout.collections),
        **{each.group: ",".join(each.names) for each in layout.collections},
        FLAT_INPUT: json.dumps([slot._asdict() for slot in layout.slots()]),
    }


def _athena_claim(converted: Converted, names: dict[str, Any]) -> Claim:
    layout = converted.layout

    def expected(feeds: Arrays) -> Arrays:
        said = converted.says(read_athena(feeds, layout))
        extra = {"confidence": said["confidence"]} if "confidence" in said else {}
        return flat_outputs(said) | extra

    return Claim(
        **names,
        feeds=lambda inputs: athena_feeds(inputs, layout),
        expected=expected,
        ask=lambda session, feeds: ask_athena(session, feeds, layout, list(converted.outputs)),
        unit=MEV_IN_A_GEV,
        batch_sizes=(1,),
    )


TARGETS: dict[Target, TargetKind] = {
    "named": TargetKind(
        _named_graph, _named_contract, _named_claim, lambda *_: {"NN_padding_value": "0"}
    ),
    "topcptoolkit-flat": TargetKind(_flat_graph, _flat_contract, _flat_claim, _flat_entries),
    "athena": TargetKind(athena_graph, athena_contract, _athena_claim, athena_entries),
}
