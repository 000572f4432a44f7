"""The athena variant: one event, as inference tools for flavour tagging there feed and read it.

Inputs are a row of numbers of the event, (1, features), and sequences of objects, (objects,
features), without a batch axis and without masks; outputs are float32 of rank 0 or 1, each
named MODEL_what, where MODEL has neither - nor _. The metadata have `gnn_config`, as
the exporter of salt writes it with `onnx_model_version` v1.
"""

import json
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from rootflow.export.athena_graph import EVENT, JETS, JETS_AXIS, LEPTONS, of_the_event
from rootflow.export.contract import (
    MEANING,
    Origin,
    contract_of,
    momenta,
    output,
)
from rootflow.export.entries import range_of
from rootflow.export.layout import MEV, FlatLayout
from rootflow.export.units import GEV
from rootflow.exported.contract import Feature, OnnxContract, Tensor

Arrays = dict[str, NDArray[Any]]

GNN_CONFIG = "gnn_config"


def athena_name(model: str) -> str:
    """Return a model's name as the first part of its outputs' names: all before the first _."""
    return re.sub(r"[^A-Za-z0-9]", "", model)


def athena_contract(origin: Origin, layout: FlatLayout, confidence: bool) -> OnnxContract:
    """Return the contract of the variant for one event at a time."""
    model, jets = athena_name(origin.name), layout.shape("jets")[1]
    event = [
        feature for name in of_the_event(layout) for feature in _features(origin, layout, name)
    ]
    inputs = [
        (EVENT, (1, len(event)), "missing transverse momentum, features of the event", event),
        (JETS, (JETS_AXIS, jets), "all jets, of which the leading count", None),
        (LEPTONS, layout.shape("leptons"), MEANING["leptons"], None),
    ]
    best = "probability of the best pair with this jet as that of"
    one = "momentum of the"
    outputs = [
        output(f"{model}_b", (JETS_AXIS,), f"{best} b: the largest is in the most probable pair"),
        output(f"{model}_bbar", (JETS_AXIS,), f"{best} bbar"),
        momenta(f"{model}_neutrino", (3,), MEV, f"{one} neutrino"),
        momenta(f"{model}_antineutrino", (3,), MEV, f"{one} antineutrino"),
    ]
    if confidence:
        outputs.append(output(f"{model}_confidence", (), MEANING["confidence"]))
    collections = {JETS: "jets", LEPTONS: "leptons"}
    return contract_of(
        origin,
        layout,
        variant="athena",
        unit=MEV,
        padding="none: there are as many rows as jets",
        inputs=[
            Tensor(
                name=name,
                type="float32",
                shape=shape,
                meaning=meaning,
                features=tuple(features or _features(origin, layout, collections[name])),
            )
            for name, shape, meaning, features in inputs
        ],
        outputs=outputs,
    )


def athena_entries(contract: OnnxContract) -> dict[str, str]:
    """Return the metadata `gnn_config`: what is read by name, without offset and scale."""
    variables = {
        tensor.name: [
            {"name": feature.name, "offset": 0.0, "scale": 1.0} for feature in tensor.features
        ]
        for tensor in contract.inputs
    }
    config = {
        "onnx_model_version": "v1",
        "model_name": athena_name(contract.model),
        "output_names": [tensor.name for tensor in contract.outputs],
        "layers": [],
        "nodes": [],
        "inputs": [{"name": EVENT, "variables": variables[EVENT]}],
        "input_sequences": [
            {"name": name, "variables": variables[name]} for name in (JETS, LEPTONS)
        ],
    }
    return {GNN_CONFIG: json.dumps(config)}


def athena_feeds(inputs: Arrays, layout: FlatLayout) -> Arrays:
    """Return events as they go in one by one; jets still with their slots, and `jet_mask`."""
    rows = {
        name: inputs[name].reshape(-1, *layout.shape(name)) / layout.factors(name)
        for name in layout.collections
    }
    event = np.concatenate([rows[name] for name in of_the_event(layout)], axis=-1)
    feeds = {EVENT: event, JETS: rows["jets"], LEPTONS: rows["leptons"]}
    return {name: array.astype(np.float32) for name, array in feeds.items()} | {
        "jet_mask": inputs["jet_mask"]
    }


def read_athena(feeds: Arrays, layout: FlatLayout) -> Arrays:
    """Return the network's inputs from those of events, as the graph makes them."""
    mask = feeds["jet_mask"]
    jets = np.where(mask[..., np.newaxis], feeds[JETS], np.float32(0)) * layout.factors("jets")
    inputs = {"jets": jets, "jet_mask": mask, "leptons": feeds[LEPTONS] * layout.factors("leptons")}
    start = 0
    for name in of_the_event(layout):
        stop = start + layout.shape(name)[1]
        inputs[name] = feeds[EVENT][:, 0, start:stop] * layout.factors(name)[0]
        start = stop
    return inputs


def ask_athena(session: InferenceSession, feeds: Arrays, confidence: bool) -> Arrays:
    """Return what it says of events one after the other, by the names of the flat variant."""
    slots = feeds["jet_mask"].shape[1]
    answers = []
    for event, jets, leptons, mask in zip(
        feeds[EVENT], feeds[JETS], feeds[LEPTONS], feeds["jet_mask"], strict=True
    ):
        answers.append(session.run(None, {EVENT: event, JETS: jets[mask], LEPTONS: leptons}))
    columns = [
        np.stack([np.pad(each, (0, slots - len(each))) for each in answer[:2]], axis=-1)
        for answer in answers
    ]
    said = {
        "assignment": np.stack(columns),
        "regression": np.stack([np.stack(answer[2:4]) for answer in answers]),
    }
    if confidence:
        said["confidence"] = np.stack([answer[4] for answer in answers])
    return said


def _features(origin: Origin, layout: FlatLayout, collection: str) -> list[Feature]:
    """Return the columns in MeV by the names of the ntuple production; no lepton has a sign."""
    units = [layout.units[collection][name] for name in layout.features[collection]]
    ranges = origin.ranges[collection]
    values = ranges / layout.factors(collection)[: len(ranges), :, np.newaxis]
    return [
        Feature(name=name, unit=MEV if unit == GEV else unit, range=range_of(values[:, place]))
        for place, (name, unit) in enumerate(zip(layout.names(collection), units, strict=True))
    ]
