"""A trained network as ONNX files, proven, with their contracts, or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx

from rootflow.config import ExportConfig, FoldsConfig
from rootflow.config.export import Precision, Target
from rootflow.dataset.events import Events
from rootflow.export.contract import Origin
from rootflow.export.conversion import compiled, convert
from rootflow.export.layout import FlatLayout
from rootflow.export.parity import Row, compared, prove
from rootflow.export.precision import cost, rounded
from rootflow.export.ranges import Ranges, ranges_of
from rootflow.export.targets import TARGETS, Network, sealed_for
from rootflow.export.units import Units, units_of
from rootflow.export.writing import (
    FULL,
    Export,
    Kind,
    Prepared,
    in_precision,
    refuse_existing,
    write,
)
from rootflow.exported.contract import OnnxContract

EXAMPLE_EVENTS = 5
PARITY = ("probability", "momentum")


def export(
    model: keras.Model,
    events: Events,
    folds: FoldsConfig,
    config: ExportConfig,
    provenance: Mapping[str, str],
    directory: Path,
    **more: Any,
) -> Export:
    """Write the model as ONNX, laid out for every target, once all are proven.

    Parameters
    ----------
    directory
        A new directory for the files.
    model, events, folds, config, provenance, more
        As in `prepare`.

    Raises
    ------
    RootflowError
        The model cannot be converted, or ONNX and Keras differ. No file is written.
    UsageError
        The directory is there already, or a feature's unit is not given.
    """
    refuse_existing(directory)
    return write([prepare(model, events, folds, config, provenance, **more)], directory)[0]


def prepare(
    model: keras.Model,
    events: Events,
    folds: FoldsConfig,
    config: ExportConfig,
    provenance: Mapping[str, str],
    *,
    units: Units,
    branch_map: str,
    selection: Mapping[str, Any],
    ranges: Ranges | None = None,
    metrics: Mapping[str, float] | None = None,
    analysis: str = "ttbar",
    name: str | None = None,
) -> Prepared:
    """Return the model as ONNX, laid out for every target, once all are proven.

    Parameters
    ----------
    model
        As `rootflow.models.build_model` makes it.
    events
        Real ones with truth, at least one, on which parity with Keras is proven and float16
        and int8 are measured: best some thousands, so that every jet multiplicity is among
        them, and of the held-out fold.
    folds
        What the model was trained with; `held_out` is what it may be applied to.
    config
        Targets, operator set, units and precisions.
    provenance
        Where the model comes from, for the metadata: the dataset's digest, the run.
    units
        By collection and feature, as in the dataset's manifest.
    branch_map, selection
        As the configuration has them, for the metadata: how ntuples are read for the model.
    ranges
        Of the features in the training's dataset; none: those of `events`.
    metrics
        What the training measured, for the metadata.
    analysis, name
        The first two parts of the files' names; without a name, the model's own.

    Raises
    ------
    RootflowError
        The model cannot be converted, ONNX and Keras differ, or float16 or int8 lose more
        than they may.
    UsageError
        A feature's unit is not given.
    """
    layout = FlatLayout(
        features=events.features,
        units=units_of(events.features, units),
        max_jets=events.jet_mask.shape[1],
    )
    origin = Origin(
        analysis=analysis,
        name=name or model.name,
        opset=config.opset,
        folds=folds,
        branch_map=branch_map,
        selection=selection,
        ranges=ranges or ranges_of([events]),
        provenance=provenance,
    )
    proto = convert(model, config.opset, config.converter)
    network = Network(proto, layout, compiled(model), config, origin.name)
    kinds = {target: TARGETS[target] for target in config.targets}
    graphs: dict[Kind, onnx.ModelProto] = {}
    parity: list[Row] = []
    physics: list[Row] = []
    for precision in config.precisions:
        lower = network
        if precision != FULL:
            lower = network._replace(proto=rounded(network.proto, precision, events))
            physics.append(
                cost(network.proto, lower.proto, precision, config.accuracy_loss_max, events)
            )
        of_targets = {target: kind.graph(lower) for target, kind in kinds.items()}
        candidates = [
            replace(kinds[target].candidate(graph.SerializeToString(), lower), precision=precision)
            for target, graph in of_targets.items()
        ]
        parity += (prove if precision == FULL else compared)(candidates, events)
        graphs |= {(target, precision): graph for target, graph in of_targets.items()}

    contents: dict[Kind, bytes] = {}
    contracts: dict[Kind, OnnxContract] = {}
    for (target, precision), graph in graphs.items():
        known = dict(metrics or {}) | _measured(TARGETS[target].variant, precision, parity, physics)
        contents[target, precision], contracts[target, precision] = sealed_for(
            TARGETS[target], graph, replace(origin, precision=precision, metrics=known), network
        )
    named = onnx.ModelProto.FromString(contents["named", FULL])
    inputs = events.take(slice(0, EXAMPLE_EVENTS)).inputs()
    example = TARGETS["named"].candidate(contents["named", FULL], network).feeds(inputs)
    example = {key: np.ascontiguousarray(array) for key, array in example.items()}
    return Prepared(
        stem=origin.stem,
        names={kind: _name(origin.stem, *kind) for kind in graphs},
        contents=contents,
        contracts=contracts,
        parity=parity,
        physics=physics,
        model=named,
        input_example=example,
        output_example=network.says(inputs),
    )


def _name(stem: str, target: Target, precision: Precision) -> str:
    return f"{in_precision(f'{stem}{TARGETS[target].ending}', precision)}.onnx"


def _measured(
    variant: str, precision: Precision, parity: Sequence[Row], physics: Sequence[Row]
) -> dict[str, float]:
    rows = [row for row in parity if (row["variant"], row["precision"]) == (variant, precision)]
    figures = [row for row in physics if row["precision"] == precision]
    return {f"parity_{name}": max(row[name] for row in rows) for name in PARITY} | {
        name: value for row in figures for name, value in row.items() if isinstance(value, float)
    }
