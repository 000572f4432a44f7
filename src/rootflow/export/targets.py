"""Who reads the files: each collection as an input, one flat input, or one event as in Athena."""

import copy
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import keras
import numpy as np
import onnx
from keras import ops

from rootflow.config.export import Target
from rootflow.export.athena import Athena
from rootflow.export.composing import BATCH_AXIS, FOLD, chained, with_scales
from rootflow.export.conversion import convert
from rootflow.export.layout import (
    FLAT_ASSIGNMENT,
    FLAT_INPUT,
    MEV,
    NO_UNIT,
    PADDING_VALUE,
    Layout,
    flat_outputs,
    read_flat,
    write_flat,
)
from rootflow.export.variant import Variant, columns
from rootflow.exported.contract import Feature, Tensor
from rootflow.exported.session import Arrays

JOINT = "joint"
MEANING = {
    "jets": "the leading jets",
    "leptons": "the charged leptons",
    "met": "missing transverse momentum",
    "event": "features of the event",
    FOLD: "the fold that the event is in, which says whose model is applied",
}


class Named(Variant):
    """One input for each collection, in the unit that the configuration says; momenta in GeV."""

    target = "named"
    name = "named"
    one_gev = 1.0

    @cached_property
    def graph(self) -> onnx.ModelProto:
        """The model with inputs in the unit; its outputs stay in GeV."""
        if self._unit == MEV:
            return with_scales(self.converted.proto, self._to_unit)
        return copy.deepcopy(self.converted.proto)

    @property
    def _unit(self) -> str:
        return self.converted.config.input_units

    @property
    def _padding(self) -> str:
        padded = [
            f"zeros in {each.name}, false in {each.mask}"
            for each in self.layout.collections
            if each.mask
        ]
        return " and ".join(padded) or "none"

    def _inputs(self) -> list[Tensor]:
        collections = {each.name: each for each in self.layout.collections}
        masks = {each.mask: each for each in self.layout.collections if each.mask}
        inputs = []
        for name in self.converted.inputs:
            features: tuple[Feature, ...] = ()
            if name in collections:
                each = collections[name]
                shape: tuple[int, ...] = each.shape[1:] if each.slots is None else each.shape
                kind, meaning = "float32", MEANING.get(name, name)
                ranges = self.about.ranges[name] * each.scales(self._unit)[:, np.newaxis]
                padding = 0.0 if each.mask else None
                features = columns(each.features, each.units_in(self._unit), ranges, padding)
            elif name == FOLD:
                shape, kind, meaning = (), "int64", MEANING[FOLD]
            else:
                shape, kind = (masks[name].slots or 0,), "bool"
                meaning = f"true where there is one of {masks[name].name}"
            inputs.append(
                Tensor(
                    name=name,
                    type=kind,
                    shape=(BATCH_AXIS, *shape),
                    meaning=meaning,
                    unit=None if features else NO_UNIT,
                    features=features,
                )
            )
        return inputs

    def _entries(self) -> Mapping[str, str]:
        return {"NN_padding_value": "0"}

    def feeds(self, inputs: Arrays) -> Arrays:
        """Return the inputs of the model, in the unit."""
        return _scaled({name: inputs[name] for name in self.converted.inputs}, self._to_unit)

    def expected(self, feeds: Arrays) -> Arrays:
        """Return what the model says of them."""
        # On what the graph has after the conversion: so the rounding of units does not count.
        to_gev = {name: np.float32(1) / scales for name, scales in self._to_unit.items()}
        return self.converted.says(_scaled(feeds, to_gev))

    @property
    def _to_unit(self) -> dict[str, Any]:
        return {each.name: each.scales(self._unit) for each in self.layout.collections}


def _scaled(arrays: Arrays, scales: Mapping[str, Any]) -> Arrays:
    return {
        name: array * scales[name] if name in scales else array for name, array in arrays.items()
    }


class Flat(Variant):
    """All numbers of an event in a row, as a dileptonic assigner in TopCPToolkit has them."""

    target = "topcptoolkit-flat"
    name = "flat"

    @cached_property
    def graph(self) -> onnx.ModelProto:
        """The model between a graph that reads the flat input and one that writes."""
        opset = self.converted.config.opset
        reader = flat_to_inputs(self.layout)
        links = {name: name for name in reader.output}
        whole = chained(convert(reader, opset), self.converted.proto, links)
        if "assignment" not in self.converted.outputs:
            return whole
        writer = outputs_to_flat(int(self.converted.outputs["assignment"][1]))
        links = {"assignment": JOINT, "neutrinos": "neutrinos"}
        return chained(whole, convert(writer, opset), links)

    @property
    def _padding(self) -> str:
        masked = any(each.mask for each in self.layout.collections)
        return f"{PADDING_VALUE} in every feature of an absent object" if masked else "none"

    def _inputs(self) -> list[Tensor]:
        features: list[Feature] = []
        for each in self.layout.collections:
            # Of masked objects there is one range for all; a lepton's sign is its own.
            ranges = np.broadcast_to(self.about.ranges[each.name], (*each.shape, 2))
            values = ranges / each.factors()[..., np.newaxis]
            padding = PADDING_VALUE if each.mask else None
            for row in range(len(values)):
                slot = "" if each.slots is None else f"[{row}]"
                names = [f"{name}{slot}" for name in each.names]
                features += columns(names, each.units_in(MEV), values[[row]], padding)
        return [
            Tensor(
                name=FLAT_INPUT,
                type="float32",
                shape=(BATCH_AXIS, len(features)),
                meaning="the features in this order",
                features=tuple(features),
            )
        ]

    def _outputs(self) -> list[Tensor]:
        if "assignment" not in self.converted.outputs:
            return super()._outputs()
        jets = self.converted.outputs["assignment"][1]
        return [
            self._output("assignment", (BATCH_AXIS, jets, 2), meaning=FLAT_ASSIGNMENT),
            self._output("regression", (BATCH_AXIS, 2, 3), MEV),
        ]

    def _entries(self) -> Mapping[str, str]:
        """Return what a dileptonic assigner in the ntuple production reads."""
        slots = [
            {"offset": offset, "name": feature.name, "unit": feature.unit}
            for offset, feature in enumerate(self._inputs()[0].features)
        ]
        return {
            "NN_padding_value": str(PADDING_VALUE),
            "input_names": ",".join(each.group for each in self.layout.collections),
            **{each.group: ",".join(each.names) for each in self.layout.collections},
            FLAT_INPUT: json.dumps(slots),
        }

    def feeds(self, inputs: Arrays) -> Arrays:
        """Return events as the C++ side fills them."""
        return {FLAT_INPUT: write_flat(inputs, self.layout)}

    def expected(self, feeds: Arrays) -> Arrays:
        """Return what the model says of them, as the C++ side reads it."""
        return flat_outputs(self.converted.says(read_flat(feeds[FLAT_INPUT], self.layout)))


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


TARGETS: dict[Target, type[Variant]] = {each.target: each for each in (Named, Flat, Athena)}
