"""A trained model as ONNX files, proven, with their contract, or nothing."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import onnx
from numpy.typing import NDArray

from rootflow.config import ExportConfig, FoldsConfig
from rootflow.config.data import SelectionConfig
from rootflow.dataset.events import Events
from rootflow.errors import UsageError
from rootflow.export.classifier_contract import self_contained
from rootflow.export.contract import Origin, flat_contract, named_contract, write_metadata
from rootflow.export.conversion import compiled, convert
from rootflow.export.flat import flat_variant
from rootflow.export.layout import (
    FLAT_INPUT,
    MEV_IN_A_GEV,
    FlatLayout,
    flat_outputs,
    read_flat,
    write_flat,
)
from rootflow.export.parity import Candidate, Row, prove
from rootflow.export.units import Units, units_of
from rootflow.files import whole_directory

EXAMPLE_EVENTS = 5


class Export(NamedTuple):
    """What an export gives.

    Attributes
    ----------
    named_path, flat_path, contract_path
        The two ONNX files, and the contract of both with the proof, as JSON.
    parity
        The proof's rows, see `rootflow.export.parity.prove`.
    model
        The named variant, as it is in its file.
    input_example, output_example
        A few real events, and what the model says of them, by name.
    """

    named_path: Path
    flat_path: Path
    contract_path: Path
    parity: list[Row]
    model: onnx.ModelProto
    input_example: dict[str, NDArray[Any]]
    output_example: dict[str, NDArray[Any]]


def export(
    model: keras.Model,
    events: Events,
    folds: FoldsConfig,
    config: ExportConfig,
    provenance: Mapping[str, str],
    directory: Path,
    *,
    units: Units,
    analysis: str = "ttbar",
    name: str | None = None,
    branch_map: str | None = None,
    selection: SelectionConfig | None = None,
) -> Export:
    """Write the model as ONNX, in the named and the flat variant, once both are proven.

    Parameters
    ----------
    model
        As `rootflow.models.build_model` makes it.
    events
        Real ones, at least one, on which parity with Keras is proven: best some thousands,
        so that every jet multiplicity is among them.
    folds
        What the model was trained with; `held_out` is what it may be applied to.
    config
        The operator set.
    provenance
        Where the model comes from, for the metadata: the dataset's digest, the run.
    directory
        A new directory for the files.
    units
        By collection and feature, as in the dataset's manifest.
    analysis, name
        The first two parts of the files' names; without a name, the model's own.
    branch_map, selection
        As the configuration has them, for the metadata: how ntuples are read for the model.

    Raises
    ------
    RootflowError
        The model cannot be converted, or ONNX and Keras differ. No file is written.
    UsageError
        The directory is there already, or a feature's unit is not given.
    """
    if directory.exists():
        raise UsageError(f"{directory}: there already; export to a new directory")
    layout = FlatLayout(
        features=events.features,
        units=units_of(events.features, units),
        max_jets=events.jet_mask.shape[1],
    )
    origin = Origin(
        analysis,
        name or model.name,
        config.opset,
        folds,
        provenance,
        branch_map=None if branch_map is None else self_contained(branch_map),
        selection=None if selection is None else selection.model_dump(mode="json"),
    )
    contracts = {
        "named": named_contract(origin, layout, "confidence" in model.output),
        "flat": flat_contract(origin, layout),
    }
    named = convert(model, config.opset)
    protos = {"named": named, "flat": flat_variant(named, layout, config.opset)}
    for variant, proto in protos.items():
        write_metadata(proto, contracts[variant], layout)
    files = {variant: proto.SerializeToString() for variant, proto in protos.items()}
    keras_says = compiled(model)
    parity = prove(_candidates(files, layout, keras_says), events)

    names = {"named": f"{origin.stem}.onnx", "flat": f"{origin.stem}_flat.onnx"}
    text = json.dumps(
        {
            "files": names,
            **{variant: contract.model_dump() for variant, contract in contracts.items()},
            "parity": parity,
        },
        indent=2,
    )
    with whole_directory(directory) as partial:
        for variant, content in files.items():
            (partial / names[variant]).write_bytes(content)
        (partial / f"{origin.stem}.json").write_text(text + "\n")

    example = {
        key: np.ascontiguousarray(array)
        for key, array in events.take(slice(0, EXAMPLE_EVENTS)).inputs().items()
    }
    return Export(
        named_path=directory / names["named"],
        flat_path=directory / names["flat"],
        contract_path=directory / f"{origin.stem}.json",
        parity=parity,
        model=named,
        input_example=example,
        output_example=keras_says(example),
    )


def _candidates(files: Mapping[str, bytes], layout: FlatLayout, keras_says: Any) -> list[Candidate]:
    return [
        Candidate(
            variant="named",
            model=files["named"],
            feeds=lambda inputs: inputs,
            expected=keras_says,
            momenta="neutrinos",
            unit=1.0,
        ),
        Candidate(
            variant="flat",
            model=files["flat"],
            feeds=lambda inputs: {FLAT_INPUT: write_flat(inputs, layout)},
            expected=lambda feeds: flat_outputs(keras_says(read_flat(feeds[FLAT_INPUT], layout))),
            momenta="regression",
            unit=MEV_IN_A_GEV,
        ),
    ]
