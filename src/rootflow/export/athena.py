"""The athena variant: one event, as inference tools for flavour tagging there feed and read it.

Inputs are a row of numbers of the event, (1, features), and sequences of objects, (objects,
features), without a batch axis and without masks; outputs are float32 of rank 0 or 1, each
named MODEL_what, where MODEL has neither - nor _. The metadata have `gnn_config`, as
the exporter of salt writes it with `onnx_model_version` v1.
"""

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from rootflow.export.about import About, contract_of, output, range_of
from rootflow.export.athena_graph import EVENT, athena_name, length_of, scalars, sequence_name
from rootflow.export.layout import MEV, InputCollection, Layout
from rootflow.export.outputs import BEST
from rootflow.exported.contract import Feature, OnnxContract, Tensor

if TYPE_CHECKING:
    from rootflow.export.targets import Converted

Arrays = dict[str, NDArray[Any]]
GNN_CONFIG = "gnn_config"
OF_JETS = {"assignment", "neutrinos"}


def athena_contract(about: About, converted: "Converted") -> OnnxContract:
    """Return the contract of the variant for one event at a time."""
    layout, model = converted.layout, athena_name(about.name)
    inputs = []
    if layout.rows:
        event = tuple(feature for each in layout.rows for feature in _features(about, each))
        meaning = " and ".join(each.name for each in layout.rows)
        inputs.append(_tensor(EVENT, (1, len(event)), f"features of {meaning}", event))
    for each in layout.sequences:
        features = _features(about, each)
        shape = (length_of(each), len(features))
        meaning = f"all {each.name}, of which {'the leading' if each.mask else 'all'} count"
        inputs.append(_tensor(sequence_name(each), shape, meaning, features))
    outputs: list[Tensor] = []
    for name in converted.outputs:
        if name == "assignment":
            for quark, more in (("b", ": the largest is in the most probable pair"), ("bbar", "")):
                said = f"{BEST} {quark}{more}"
                outputs.append(output(about, name, ("n_jets",), MEV, said, f"{model}_{quark}"))
        elif name == "neutrinos":
            for one in ("neutrino", "antineutrino"):
                said = f"momentum of the {one}"
                outputs.append(output(about, name, (3,), MEV, said, f"{model}_{one}"))
        else:
            outputs += [
                output(about, name, (), called=f"{model}_{one}")
                for one in scalars(converted.proto, name, about.classes)
            ]
    return contract_of(
        about,
        layout,
        target="athena",
        unit=MEV,
        padding="none: there are as many rows as objects",
        inputs=inputs,
        outputs=outputs,
    )


def athena_entries(contract: OnnxContract) -> dict[str, str]:
    """Return the metadata `gnn_config`: what is read by name, without offset and scale."""
    read = [
        {
            "name": tensor.name,
            "variables": [
                {"name": feature.name, "offset": 0.0, "scale": 1.0} for feature in tensor.features
            ],
        }
        for tensor in contract.inputs
    ]
    config = {
        "onnx_model_version": "v1",
        "model_name": athena_name(contract.model),
        "output_names": [tensor.name for tensor in contract.outputs],
        "layers": [],
        "nodes": [],
        "inputs": [each for each in read if each["name"] == EVENT],
        "input_sequences": [each for each in read if each["name"] != EVENT],
    }
    return {GNN_CONFIG: json.dumps(config)}


def athena_feeds(inputs: Arrays, layout: Layout) -> Arrays:
    """Return events as they go in one by one; objects still with their slots, and the masks."""
    rows = {
        each.name: (inputs[each.name].reshape(-1, *each.shape) / each.factors()).astype(np.float32)
        for each in layout.collections
    }
    feeds = {sequence_name(each): rows[each.name] for each in layout.sequences}
    if layout.rows:
        feeds[EVENT] = np.concatenate([rows[each.name] for each in layout.rows], axis=-1)
    return feeds | {each.mask: inputs[each.mask] for each in layout.sequences if each.mask}


def read_athena(feeds: Arrays, layout: Layout) -> Arrays:
    """Return the model's inputs from those of events, as the graph makes them."""
    inputs: Arrays = {}
    for each in layout.sequences:
        values = feeds[sequence_name(each)]
        if each.mask:
            inputs[each.mask] = feeds[each.mask]
            values = np.where(feeds[each.mask][..., np.newaxis], values, np.float32(0))
        inputs[each.name] = values * each.factors()
    start = 0
    for each in layout.rows:
        stop = start + len(each.features)
        inputs[each.name] = feeds[EVENT][:, 0, start:stop] * each.factors()[0]
        start = stop
    return inputs


def ask_athena(
    session: InferenceSession, feeds: Arrays, layout: Layout, outputs: list[str]
) -> Arrays:
    """Return what it says of events one after the other, by the names of the flat variant.

    `outputs` are those of the model.
    """
    answers = []
    for place in range(len(next(iter(feeds.values())))):
        event = {
            sequence_name(each): feeds[sequence_name(each)][place][
                feeds[each.mask][place] if each.mask else slice(None)
            ]
            for each in layout.sequences
        }
        if layout.rows:
            event[EVENT] = feeds[EVENT][place]
        answers.append(session.run(None, event))
    if not set(outputs) >= OF_JETS:
        (name,) = outputs
        return {name: np.stack([np.stack(answer) for answer in answers])}
    slots = next(each.shape[0] for each in layout.sequences if each.name == "jets")
    columns_of_jets = [
        np.stack([np.pad(each, (0, slots - len(each))) for each in answer[:2]], axis=-1)
        for answer in answers
    ]
    said = {
        "assignment": np.stack(columns_of_jets),
        "regression": np.stack([np.stack(answer[2:4]) for answer in answers]),
    }
    if "confidence" in outputs:
        said["confidence"] = np.stack([answer[4] for answer in answers])
    return said


def _tensor(
    name: str, shape: tuple[int | str, ...], meaning: str, features: tuple[Feature, ...]
) -> Tensor:
    return Tensor(name=name, type="float32", shape=shape, meaning=meaning, features=features)


def _features(about: About, each: InputCollection) -> tuple[Feature, ...]:
    """Return the columns in MeV by the names of the ntuple production."""
    ranges = about.ranges[each.name]
    values = ranges / each.factors()[: len(ranges), :, np.newaxis]
    return tuple(
        Feature(name=name, unit=unit, range=range_of(values[:, place]))
        for place, (name, unit) in enumerate(
            zip(each.names, each.units_in(MEV).values(), strict=True)
        )
    )
