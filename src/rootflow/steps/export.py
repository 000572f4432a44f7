"""Fitted models to ONNX files, proven, timed and registered."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.analysis import analysis_named
from rootflow.config import BoostedTreesConfig, Config, FoldsConfig
from rootflow.config.export import Target
from rootflow.cplusplus.write import write_cplusplus
from rootflow.dataset import Dataset
from rootflow.errors import UsageError
from rootflow.export.about import FULL, About, fold_name, in_precision
from rootflow.export.preparation import prepare, prepare_all_folds, refuse_precisions
from rootflow.export.samples import parts_of, ranges_of
from rootflow.export.writing import Export, write
from rootflow.exported.contract import TOLERANCES, OnnxContract
from rootflow.exported.session import latency_ms
from rootflow.steps import train
from rootflow.steps.preprocess import reading_of, simulated_maps
from rootflow.steps.registry.choosing import chosen
from rootflow.steps.registry.register import register as register_export
from rootflow.steps.result import StepResult
from rootflow.steps.train import Trained, finished, provenance
from rootflow.tracking import Run, start_run
from rootflow.training.fitting import Training
from rootflow.training.record import load_fitted

PARITY_EVENTS = 5_000
IN_CPLUSPLUS: tuple[Target, ...] = ("named", "topcptoolkit-flat")


def run(
    config: Config, parent: Run | None = None, *, register: bool = True, model: str = ""
) -> StepResult:
    """Export the model of each held-out fold for every target, and register the named ones.

    Where every fold is held out, each has files of its own, and a table says which are for which.
    What is registered is the one file of all folds where it is made, else that of each fold.
    `model` is as in `rootflow.steps.registry.choosing.chosen`.
    """
    config, training = chosen(config, model)
    every = config.data.folds.in_turn()
    together = _together(config, every)
    refuse_precisions(config.export, trees=isinstance(config.model, BoostedTreesConfig))
    with start_run(config, "export", parent) as run:
        trained = train.ensure(config, run, training)
        exports = _export(config, run, trained, every, together)
        of_folds = exports[: len(every)]
        for path in sorted({path for exported in exports for path in exported.paths}):
            run.log_file(path, "export")
        folder = of_folds[0].table_path.parent / "cplusplus"
        in_cplusplus = [
            exported.files[target, FULL]
            for exported in of_folds
            for target in IN_CPLUSPLUS
            if (target, FULL) in exported.files
        ]
        for path in write_cplusplus(in_cplusplus, folder):
            run.log_file(path, "export/cplusplus")
        rows = [row for exported in exports for row in exported.parity]
        physics = [
            {**({"fold": exported.held_out} if len(every) > 1 else {}), **row}
            for exported in of_folds
            for row in exported.physics
        ]
        metrics = {
            f"parity_{kind}": max(row[kind] for row in rows if row["precision"] == FULL)
            for kind in TOLERANCES
            if kind in rows[0]
        }
        metrics["latency_ms"] = latency_ms(of_folds[0].named_path, of_folds[0].input_example)
        run.log_metrics(metrics)
        facts: dict[str, Any] = {
            _fact(contract): [str(exported.files[kind]) for exported in of_folds]
            for kind, contract in of_folds[0].contracts.items()
        }
        if register:
            registered = [
                register_export(config, run, trained, *each)
                for each in _registered(config, every, exports, trained)
            ]
            facts["registered_model"] = [onnx for onnx, _ in registered]
            facts["registered_training"] = [made_from for _, made_from in registered]
        facts = {fact: values[0] if len(values) == 1 else values for fact, values in facts.items()}
        if together:
            facts["onnx_all_folds"] = str(exports[-1].named_path)
        facts["cplusplus"] = str(folder)
        tables = {"parity": rows} | ({"precision": physics} if physics else {})
        return StepResult("export", run.run_id, facts, tables, metrics)


def _fact(contract: OnnxContract) -> str:
    """Return what the files of a variant are called in the result."""
    named = contract.variant == "named"
    return in_precision("onnx" if named else f"onnx_{contract.variant}", contract.precision)


def _together(config: Config, every: Sequence[FoldsConfig]) -> bool:
    """Return whether there is to be a file with the models of all folds."""
    wanted: bool | None = config.export.all_folds
    complete = len(every) == config.data.folds.count
    if wanted and not complete:
        raise UsageError(
            f"export.all_folds: there is a model of fold {every[0].held_out} alone; a file with "
            "those of all folds takes data.folds.held_out: all"
        )
    if wanted is None:
        return complete and analysis_named(config.analysis).task == "classification"
    return wanted


def _export(
    config: Config, run: Run, trained: Trained, every: Sequence[FoldsConfig], together: bool
) -> list[Export]:
    """Return the exports of all models, which are there together or not at all."""
    dataset, analysis = trained.dataset, analysis_named(config.analysis)
    given = analysis.given(config, dataset.features)
    classes = dataset.manifest.classes
    origin = provenance(config, run, trained)
    maps = simulated_maps(config)
    ended = [finished(training) for training in trained.trainings]
    about = About(
        task=analysis.task,
        analysis=config.analysis,
        name=config.model.name,
        folds=config.data.folds,
        units={
            collection: {feature.name: feature.unit for feature in features}
            for collection, features in dataset.manifest.features.items()
        },
        branch_map=maps.pop() if len(maps) == 1 else config.data.branch_map,
        selection=reading_of(config).model_dump(mode="json"),
        provenance=origin | {"trained_at": max(ended)},
        uses=getattr(config, "inputs", None),
        classes=classes if len(classes) > 2 else (),  # of two the score is that of the signal
        ranges=ranges_of(events.taking(given) for events in parts_of(dataset)),
        metrics=train.quality(trained.trainings),
    )
    prepared = [
        prepare(
            load_fitted(training.directory),
            dataset.events(_mixed(dataset, folds.held_out)[:PARITY_EVENTS]).taking(given),
            replace(
                about,
                held_out=folds.held_out,
                provenance=origin | {"trained_at": at},
                metrics=train.quality([training]),
            ),
            config.export,
        )
        for training, folds, at in zip(trained.trainings, every, ended, strict=True)
    ]
    if together:
        step = -(-len(dataset) // PARITY_EVENTS)
        some = dataset.events(np.arange(0, len(dataset), step)).taking(given)
        prepared.append(prepare_all_folds(prepared, some, about, config.export))
    return write(prepared, config.output / "exports" / f"{config.model.name}-{run.run_id[:8]}")


def _mixed(dataset: Dataset, fold: int) -> NDArray[np.int64]:
    """Return the places of a fold's simulated events, any first of which are of all samples.

    Those of a single sample stay in their order.
    """
    places = dataset.simulated_in([fold])
    every = dataset.events().sample
    if every is None:
        return places
    sample = every[places]
    along = np.empty(len(places))
    for each in np.unique(sample):
        of_it = sample == each
        along[of_it] = np.linspace(0, 1, np.count_nonzero(of_it), endpoint=False)
    return places[np.argsort(along, kind="stable")]


def _registered(
    config: Config, every: Sequence[FoldsConfig], exports: Sequence[Export], trained: Trained
) -> list[tuple[str, Export, dict[str, Training]]]:
    """Return the name of each model that is registered, the model, and its trainings by folder.

    It is the file of all folds where there is one, else that of each.
    """
    name = config.export.registered_model or config.analysis
    if exports[-1].held_out is None:
        trainings = {f"fold{place}": each for place, each in enumerate(trained.trainings)}
        return [(name, exports[-1], trainings)]
    return [
        (f"{name}_{fold_name(folds)}" if len(every) > 1 else name, exported, {"": training})
        for exported, folds, training in zip(exports, every, trained.trainings, strict=True)
    ]
