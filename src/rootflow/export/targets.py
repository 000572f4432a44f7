"""Who reads the files: of each target, the graph, what it says of itself, and how it is asked."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray

from rootflow.config.export import ExportConfig, Target
from rootflow.export.athena import (
    ask_athena,
    athena_contract,
    athena_entries,
    athena_feeds,
    athena_name,
    read_athena,
)
from rootflow.export.athena_graph import athena_variant
from rootflow.export.contract import Origin, named_contract
from rootflow.export.entries import sealed
from rootflow.export.flat import flat_contract, flat_entries, flat_variant
from rootflow.export.layout import (
    FLAT_INPUT,
    MEV,
    MEV_IN_A_GEV,
    FlatLayout,
    flat_outputs,
    read_flat,
    write_flat,
)
from rootflow.export.named import named_variant
from rootflow.export.parity import Arrays, Candidate
from rootflow.export.units import GEV
from rootflow.exported.contract import OnnxContract

KerasSays = Callable[[Arrays], Arrays]


class Network(NamedTuple):
    """A converted network, and what is needed to lay it out for a target.

    Attributes
    ----------
    proto
        With the inputs and outputs of `build_model`.
    says
        What Keras says of such inputs.
    """

    proto: onnx.ModelProto
    layout: FlatLayout
    says: KerasSays
    config: ExportConfig
    model: str

    @property
    def confidence(self) -> bool:
        """Whether it has such an output."""
        return "confidence" in {value.name for value in self.proto.graph.output}


class TargetKind(NamedTuple):
    """What makes a target's file.

    Attributes
    ----------
    variant
        How the file's contract calls it.
    ending
        Of the file's name.
    graph, contract, candidate, entries
        The network laid out for it, what it says of itself, how it is proven, and what its
        metadata have of their own.
    """

    variant: str
    ending: str
    graph: Callable[[Network], onnx.ModelProto]
    contract: Callable[[Origin, Network], OnnxContract]
    candidate: Callable[[bytes, Network], Candidate]
    entries: Callable[[OnnxContract, Network], Mapping[str, str]]


def sealed_for(
    kind: TargetKind, proto: onnx.ModelProto, origin: Origin, network: Network
) -> tuple[bytes, OnnxContract]:
    """Return a target's file with contract and checksum, and the contract."""
    contract = kind.contract(origin, network)
    momenta = next(tensor for tensor in contract.inputs if tensor.features).features
    entries = {
        "rootflow.variant": contract.variant,
        "rootflow.max_jets": str(contract.slots["jets"]),
        "rootflow.units": MEV if MEV in {feature.unit for feature in momenta} else GEV,
        "rootflow.padding": contract.padding,
        "rootflow.fold_count": str(contract.folds.count),
        "rootflow.fold_held_out": str(contract.held_out),
        "rootflow.fold_scheme": contract.folds.scheme,
        "NN_max_jets": str(contract.slots["jets"]),
        **kind.entries(contract, network),
    }
    return sealed(proto, contract, entries), contract


def _named(content: bytes, network: Network) -> Candidate:
    layout, unit = network.layout, network.config.input_units
    to_unit = {name: layout.scales(name, unit) for name in layout.collections}
    to_gev = {name: np.float32(1) / scales for name, scales in to_unit.items()}
    return Candidate(
        variant="named",
        model=content,
        feeds=partial(_scaled, scales=to_unit),
        # On what the graph has after the conversion: so the rounding of units does not count.
        expected=lambda feeds: network.says(_scaled(feeds, to_gev)),
        momenta="neutrinos",
        unit=1.0,
    )


def _scaled(arrays: Arrays, scales: Mapping[str, NDArray[np.float32]]) -> Arrays:
    return {
        name: array * scales[name] if name in scales else array for name, array in arrays.items()
    }


def _flat(content: bytes, network: Network) -> Candidate:
    layout = network.layout
    return Candidate(
        variant="flat",
        model=content,
        feeds=lambda inputs: {FLAT_INPUT: write_flat(inputs, layout)},
        expected=lambda feeds: flat_outputs(network.says(read_flat(feeds[FLAT_INPUT], layout))),
        momenta="regression",
        unit=MEV_IN_A_GEV,
    )


def _athena(content: bytes, network: Network) -> Candidate:
    layout, confidence = network.layout, network.confidence

    def expected(feeds: Arrays) -> Arrays:
        said = network.says(read_athena(feeds, layout))
        extra = {"confidence": said["confidence"]} if confidence else {}
        return flat_outputs(said) | extra

    return Candidate(
        variant="athena",
        model=content,
        feeds=lambda inputs: athena_feeds(inputs, layout),
        expected=expected,
        momenta="regression",
        unit=MEV_IN_A_GEV,
        ask=lambda session, feeds: ask_athena(session, feeds, confidence),
        batch_sizes=(1,),
    )


TARGETS: dict[Target, TargetKind] = {
    "named": TargetKind(
        variant="named",
        ending="",
        graph=lambda network: named_variant(
            network.proto, network.layout, network.config.input_units
        ),
        contract=lambda origin, network: named_contract(
            origin, network.layout, network.config.input_units, network.confidence
        ),
        candidate=_named,
        entries=lambda _contract, _network: {"NN_padding_value": "0"},
    ),
    "topcptoolkit-flat": TargetKind(
        variant="flat",
        ending="_flat",
        graph=lambda network: flat_variant(network.proto, network.layout, network.config.opset),
        contract=lambda origin, network: flat_contract(origin, network.layout),
        candidate=_flat,
        entries=lambda _contract, network: flat_entries(network.layout),
    ),
    "athena": TargetKind(
        variant="athena",
        ending="_athena",
        graph=lambda network: athena_variant(
            network.proto, network.layout, network.config.opset, athena_name(network.model)
        ),
        contract=lambda origin, network: athena_contract(
            origin, network.layout, network.confidence
        ),
        candidate=_athena,
        entries=lambda contract, _network: athena_entries(contract),
    ),
}
ENDINGS: dict[Target, str] = {target: kind.ending for target, kind in TARGETS.items()}
