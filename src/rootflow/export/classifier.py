"""The trained classifiers of all folds as ONNX files, proven, or nothing."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import onnx
from numpy.typing import NDArray

from rootflow.config import (
    ClassifierExportConfig,
    FoldingConfig,
    InputsConfig,
)
from rootflow.dataset.events import Events
from rootflow.dataset.folds import fold_of
from rootflow.errors import UsageError
from rootflow.export.classifier_contract import (
    ClassifierOrigin,
    classifier_contract,
    sealed_classifier,
)
from rootflow.export.conversion import compiled, convert
from rootflow.export.folds import FOLD, SCORE, with_all_folds
from rootflow.export.ranges import Ranges, ranges_of
from rootflow.export.score_parity import Arrays, Row, ScoreCandidate, extreme_inputs, prove_scores
from rootflow.export.trees import convert_trees
from rootflow.export.units import Units, units_of
from rootflow.exported.folds import FoldsTable
from rootflow.exported.session import open_file
from rootflow.files import whole_directory
from rootflow.models import chosen_inputs
from rootflow.training.trees import TreesModel

EXAMPLE_EVENTS = 5
Scoring = Callable[[Arrays], NDArray[np.floating]]  # from inputs by name to scores (n, 1)


class ClassifierExport(NamedTuple):
    """What an export of classifiers gives.

    Attributes
    ----------
    fold_paths
        The file of each fold: at place k of the model that has not seen fold k.
    combined_path
        One file with the models of all folds.
    table_path
        Which file is for which fold, the contracts and the proof, as JSON.
    parity
        The proof's rows, see `rootflow.export.score_parity.prove_scores`.
    combined
        The model of all folds, as it is in its file.
    input_example, output_example
        A few real events with their folds, and what the models say of them, by name.
    """

    fold_paths: list[Path]
    combined_path: Path
    table_path: Path
    parity: list[Row]
    combined: onnx.ModelProto
    input_example: Arrays
    output_example: Arrays

    @property
    def paths(self) -> list[Path]:
        """Every file."""
        return [*self.fold_paths, self.combined_path, self.table_path]


def export_classifier(
    models: Sequence[keras.Model | TreesModel],
    events: Events,
    folds: FoldingConfig,
    config: ClassifierExportConfig,
    inputs: InputsConfig,
    provenance: Mapping[str, str],
    directory: Path,
    *,
    units: Units,
    branch_map: str,
    selection: Mapping[str, Any],
    name: str,
    ranges: Ranges | None = None,
    metrics: Mapping[str, float] | None = None,
    analysis: str = "h4l",
) -> ClassifierExport:
    """Write a classifier of all folds as ONNX, once every file is proven.

    Parameters
    ----------
    models
        Networks of `rootflow.models.build_classifier` or boosted trees; that at place k has
        not seen fold k.
    events
        Real ones, at least one, on which parity is proven: best some thousands.
    folds
        How events are divided.
    config
        The operator set.
    inputs
        What the models see.
    provenance
        Where the models come from, for the metadata: the dataset's digest, the run.
    directory
        A new directory for the files.
    units
        By collection and feature, as in the dataset's manifest.
    branch_map, selection
        As the configuration has them, for the metadata: how ntuples are read for the models.
    ranges
        Of the features in the training's dataset; none: those of `events`.
    metrics
        What the trainings measured, for the metadata.
    analysis, name
        The first two parts of the files' names.

    Raises
    ------
    RootflowError
        A model cannot be converted, or ONNX and the model differ by more than 1e-6. No
        file is written.
    UsageError
        The directory is there already, a feature's unit is not given, or there is not one
        model for each fold.
    """
    if directory.exists():
        raise UsageError(f"{directory}: there already; export to a new directory")
    if len(models) != folds.count:
        raise UsageError(f"export: {len(models)} models for {folds.count} folds")
    origin = ClassifierOrigin(
        analysis=analysis,
        name=name,
        opset=config.opset,
        folds=folds,
        inputs=inputs,
        features=events.features,
        units=units_of(events.features, units),
        branch_map=branch_map,
        selection=selection,
        ranges=ranges or ranges_of([events]),
        provenance=provenance,
        metrics=metrics or {},
    )
    protos: dict[int | None, onnx.ModelProto] = {
        fold: _converted(model, config) for fold, model in enumerate(models)
    }
    protos[None] = with_all_folds(list(protos.values()), origin.stem(None))
    names = {fold: f"{origin.stem(fold)}.onnx" for fold in protos}
    scorings: dict[int | None, Scoring] = {
        fold: _scoring(model) for fold, model in enumerate(models)
    }
    scorings[None] = _picking([scorings[fold] for fold in range(folds.count)])
    arrays = {collection: events.inputs()[collection] for collection in chosen_inputs(inputs)}
    arrays[FOLD] = fold_of(events.fold_numbers, folds).astype(np.int64)
    parity = prove_scores(
        [
            ScoreCandidate(names[fold], proto.SerializeToString(), scorings[fold])
            for fold, proto in protos.items()
        ],
        arrays,
        extreme_inputs(arrays, events.features, origin.units),
    )
    contracts = {
        fold: classifier_contract(_with_parity(origin, parity, names[fold]), fold)
        for fold in protos
    }
    files = {
        names[fold]: sealed_classifier(proto, contracts[fold]) for fold, proto in protos.items()
    }
    table = FoldsTable(
        folds={str(fold): names[fold] for fold in range(folds.count)},
        all_folds=names[None],
        sha256={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        contracts={names[fold]: contract for fold, contract in contracts.items()},
        parity=parity,
    )
    with whole_directory(directory) as partial:
        for file, content in files.items():
            (partial / file).write_bytes(content)
            open_file(partial / file)  # as whoever uses it will: checksum, contract, tensors
        table_path = table.write(partial)
    example = {key: np.ascontiguousarray(array[:EXAMPLE_EVENTS]) for key, array in arrays.items()}
    return ClassifierExport(
        fold_paths=[directory / names[fold] for fold in range(folds.count)],
        combined_path=directory / names[None],
        table_path=directory / table_path.name,
        parity=parity,
        combined=onnx.ModelProto.FromString(files[names[None]]),
        input_example=example,
        output_example={SCORE: scorings[None](example).astype(np.float32)},
    )


def _with_parity(origin: ClassifierOrigin, parity: Sequence[Row], file: str) -> ClassifierOrigin:
    worst = max(row["score"] for row in parity if row["file"] == file)
    return replace(origin, metrics={**origin.metrics, "parity_score": worst})


def _converted(model: keras.Model | TreesModel, config: ClassifierExportConfig) -> onnx.ModelProto:
    if isinstance(model, TreesModel):
        return convert_trees(model, config.opset)
    return convert(model, config.opset, config.converter)


def _scoring(model: keras.Model | TreesModel) -> Scoring:
    """Return the model as a function from arrays by name to scores (n, 1)."""
    if isinstance(model, TreesModel):
        return lambda arrays: model.predict(arrays)[:, np.newaxis]
    call = compiled(model)
    return lambda arrays: call({name: arrays[name] for name in model.input})[SCORE]


def _picking(scorings: Sequence[Scoring]) -> Scoring:
    """Return what the models of all folds say, each event by that of its fold."""

    def score(arrays: Arrays) -> NDArray[np.floating]:
        said = np.stack([scoring(arrays) for scoring in scorings])
        picked: NDArray[np.floating] = said[arrays[FOLD], np.arange(len(arrays[FOLD]))]
        return picked

    return score
