"""Trained models as ONNX, laid out for every target, once all are proven."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import keras
import numpy as np
import onnx

from rootflow.config.export import ExportConfig, Precision, Target
from rootflow.dataset.events import Events
from rootflow.errors import UsageError
from rootflow.export.about import FULL, About
from rootflow.export.composing import FOLD, with_all_folds
from rootflow.export.conversion import Converted, compiled, convert
from rootflow.export.layout import layout_of
from rootflow.export.parity import Row, compared, prove
from rootflow.export.precision import cost, rounded
from rootflow.export.samples import inputs_of, ranges_of, samples_of
from rootflow.export.targets import TARGETS, Named
from rootflow.export.trees import convert_trees
from rootflow.export.writing import Kind, Prepared
from rootflow.exported.contract import TOLERANCES, Order
from rootflow.exported.session import Arrays
from rootflow.training.trees import Trees

EXAMPLE_EVENTS = 5
# Of objects that are not by falling pT.
ORDERS: Mapping[str, Mapping[str, Order]] = {
    "reconstruction": {"leptons": "charge"},
    "classification": {},
}


def prepare(
    model: keras.Model | Trees, events: Events, about: About, config: ExportConfig
) -> Prepared:
    """Return a model as ONNX, laid out for every target, once all are proven.

    Events are real ones with truth, at least one, on which parity with the model is proven and
    float16 and int8 are measured: best some thousands, and of the held-out fold.

    Raises
    ------
    RootflowError
        The model cannot be converted, ONNX and the model differ, or float16 or int8 lose more
        than they may.
    UsageError
        A feature's unit is not given, or trees are to have weights of fewer bits.
    InputError
        There are no events.
    """
    refuse_precisions(config, trees=isinstance(model, Trees))
    about = replace(about, ranges=about.ranges or ranges_of([events]))
    proto, says, taken = _converted(model, config)
    layout = layout_of(events, about.units, ORDERS[about.task], taken)
    full = Converted(proto, layout, says, config)
    physics: list[Row] = []
    of_precision: dict[Precision, Converted] = {}
    for precision in config.precisions:
        lower = full
        if precision != FULL:
            inputs = {name: array for name, array in events.inputs().items() if name in taken}
            proto = rounded(full.proto, precision, inputs)
            lower = full._replace(proto=proto, precision=precision)
            physics.append(cost(full, lower, config.accuracy_loss_max, events))
        of_precision[precision] = lower
    return _proven(about, of_precision, config.targets_of(about.task), events, physics)


def prepare_all_folds(
    prepared: Sequence[Prepared], events: Events, about: About, config: ExportConfig
) -> Prepared:
    """Return the models of all folds as one named file that takes the fold as an input, proven.

    The model at place k was not trained on fold k; events are as of `prepare`, of all folds. Other
    than one model for each fold are a UsageError; ONNX that differs from them is a RootflowError.
    """
    if len(prepared) != about.folds.count:
        raise UsageError(f"export: {len(prepared)} models for {about.folds.count} folds")
    first = prepared[0].converted[FULL]
    about = replace(about, held_out=None, ranges=about.ranges or ranges_of([events]))
    says = _picking([each.converted[FULL].says for each in prepared])
    of_precision = {
        precision: Converted(
            with_all_folds([each.converted[precision].proto for each in prepared], about.stem),
            first.layout,
            says,
            config,
            precision,
        )
        for precision in config.precisions
    }
    return _proven(about, of_precision, ("named",), events, [])


def refuse_precisions(config: ExportConfig, *, trees: bool) -> None:
    """Refuse weights of fewer bits, by a UsageError, where there are none to round."""
    lower = [precision for precision in config.precisions if precision != FULL]
    if trees and lower:
        raise UsageError(
            f"export.precisions: {', '.join(lower)} round the weights of a network, and boosted "
            "trees have none: leave float32 alone"
        )


def _proven(
    about: About,
    of_precision: Mapping[Precision, Converted],
    targets: Sequence[Target],
    events: Events,
    physics: list[Row],
) -> Prepared:
    """Return the files of a model in every precision, once those in float32 are proven."""
    full = of_precision[FULL]
    samples = samples_of(about.task, events, full.layout, about.folds)
    contents, contracts, names = {}, {}, {}
    parity: list[Row] = []
    for precision, converted in of_precision.items():
        variants = [TARGETS[target](about, converted) for target in targets]
        rows = (prove if precision == FULL else compared)(variants, samples)
        parity += rows
        for variant in variants:
            kind: Kind = (variant.target, precision)
            names[kind] = variant.file
            measured = _measured(variant.file, precision, rows, physics)
            contents[kind], contracts[kind] = variant.sealed(measured)
    inputs = inputs_of(events.take(slice(0, EXAMPLE_EVENTS)), full.layout, about.folds)
    example = Named(about, full).feeds(inputs)
    said = full.says(inputs)
    return Prepared(
        stem=about.stem,
        held_out=about.held_out,
        names=names,
        contents=contents,
        contracts=contracts,
        parity=parity,
        physics=physics,
        input_example={key: np.ascontiguousarray(array) for key, array in example.items()},
        output_example={name: np.asarray(said[name], np.float32) for name in full.outputs},
        converted=dict(of_precision),
    )


def _converted(
    model: keras.Model | Trees, config: ExportConfig
) -> tuple[onnx.ModelProto, Callable[[Arrays], Arrays], set[str]]:
    """Return a model as ONNX, what it says of inputs, and the names of those."""
    if isinstance(model, Trees):
        proto = convert_trees(model, config.opset)
        return proto, model.outputs, {value.name for value in proto.graph.input}
    call, names = compiled(model), list(model.input)
    proto = convert(model, config.opset, config.converter)
    return proto, lambda arrays: call({name: arrays[name] for name in names}), set(names)


def _picking(models: Sequence[Callable[[Arrays], Arrays]]) -> Callable[[Arrays], Arrays]:
    """Return what the models of all folds say, each event by that of its fold."""

    def says(arrays: Arrays) -> Arrays:
        every = [model(arrays) for model in models]
        picked = arrays[FOLD], np.arange(len(arrays[FOLD]))
        return {name: np.stack([said[name] for said in every])[picked] for name in every[0]}

    return says


def _measured(
    file: str, precision: Precision, parity: Sequence[Row], physics: Sequence[Row]
) -> dict[str, float]:
    rows = [row for row in parity if row["file"] == file]
    figures = [row for row in physics if row["precision"] == precision]
    return {
        f"parity_{kind}": max(row[kind] for row in rows) for kind in TOLERANCES if kind in rows[0]
    } | {name: value for row in figures for name, value in row.items() if isinstance(value, float)}
