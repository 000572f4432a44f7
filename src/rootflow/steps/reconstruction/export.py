"""The trained networks as ONNX files, proven, timed and registered."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rootflow.config import FoldsConfig, ReconstructionConfig
from rootflow.config.export import Target
from rootflow.cplusplus import write_cplusplus
from rootflow.export import (
    ENDINGS,
    FULL,
    Export,
    Prepared,
    Ranges,
    fold_name,
    in_precision,
    latency_ms,
    parts_of,
    prepare,
    ranges_of,
    write,
)
from rootflow.models import load_model
from rootflow.steps import train
from rootflow.steps.preprocess import reading_of
from rootflow.steps.provenance import finished, provenance
from rootflow.steps.registry.register import Registered, Registrable
from rootflow.steps.registry.register import register as register_export
from rootflow.steps.result import StepResult
from rootflow.steps.train import Trained
from rootflow.tracking import Run, start_run
from rootflow.training import Training

PARITY_EVENTS = 5_000
PARITY = ("probability", "momentum")


def run(
    config: ReconstructionConfig,
    parent: Run | None = None,
    *,
    register: bool = True,
    training: str | None = None,
) -> StepResult:
    """Export the network of each held-out fold for every target, and register the named one.

    Where every fold is held out, each has files and a registered model of its own, both
    named by the fold that the network may be applied to, and a table says which are for which.
    `training` is the digest of the only trainings that will do.
    """
    with start_run(config, "export", parent) as run:
        trained = train.ensure(config, run, training)
        every = config.data.folds.in_turn()
        several = len(every) > 1
        exports = _export_all(config, run, trained, every)
        for path in sorted({path for exported in exports for path in exported.paths}):
            run.log_file(path, "export")
        folder = exports[0].contract_path.parent / "cplusplus"
        for path in write_cplusplus(_for_cplusplus(exports), folder):
            run.log_file(path, "export/cplusplus")
        named = [{"fold": folds.held_out} if several else {} for folds in every]
        rows, physics = (
            [
                {**fold, **row}
                for exported, fold in zip(exports, named, strict=True)
                for row in getattr(exported, table)
            ]
            for table in ("parity", "physics")
        )
        metrics = {
            f"parity_{name}": max(row[name] for row in rows if row["precision"] == FULL)
            for name in PARITY
        }
        metrics["latency_ms"] = latency_ms(exports[0].named_path, exports[0].input_example)
        run.log_metrics(metrics)
        facts: dict[str, Any] = {
            in_precision(f"onnx{ENDINGS[target]}", precision): [
                str(exported.files[target, precision]) for exported in exports
            ]
            for target, precision in exports[0].files
        }
        if register:
            name = config.export.registered_model or config.analysis
            names = [f"{name}_{fold_name(folds)}" if several else name for folds in every]
            registered = [
                _register(config, run, trained, exports[place], place, of_fold)
                for place, of_fold in enumerate(names)
            ]
            facts["registered_model"] = [each.onnx for each in registered]
            facts["registered_training"] = [each.trained for each in registered]
        tables = {"parity": rows} | ({"precision": physics} if physics else {})
        if not several:
            facts = {fact: values[0] for fact, values in facts.items()}
        facts["cplusplus"] = str(folder)
        return StepResult("export", run.run_id, facts, tables, metrics)


def _export_all(
    config: ReconstructionConfig, run: Run, trained: Trained, every: Sequence[FoldsConfig]
) -> list[Export]:
    """Return the exports of all networks, which are there together or not at all."""
    origin = provenance(config, run, trained)
    ranges = ranges_of(parts_of(trained.dataset))
    prepared = [
        _prepare(config, trained, training, folds, origin, ranges)
        for training, folds in zip(trained.trainings, every, strict=True)
    ]
    return write(prepared, config.output / "exports" / f"{config.model.name}-{run.run_id[:8]}")


def _prepare(
    config: ReconstructionConfig,
    trained: Trained,
    training: Training,
    folds: FoldsConfig,
    origin: dict[str, str],
    ranges: Ranges,
) -> Prepared:
    held_out = trained.dataset.simulated_in([folds.held_out])[:PARITY_EVENTS]
    return prepare(
        load_model(training.model_path),
        trained.dataset.events(held_out),
        folds,
        config.export,
        origin | {"trained_at": finished(training)},
        analysis=config.analysis,
        name=config.model.name,
        branch_map=config.data.branch_map,
        selection=reading_of(config).settings,
        units={
            collection: {feature.name: feature.unit for feature in features}
            for collection, features in trained.dataset.manifest.features.items()
        },
        ranges=ranges,
        metrics=train.quality([training]),
    )


def _for_cplusplus(exports: Sequence[Export]) -> list[Path]:
    targets: tuple[Target, ...] = ("named", "topcptoolkit-flat")
    kinds = [(target, FULL) for target in targets]
    return [
        exported.files[kind] for exported in exports for kind in kinds if kind in exported.files
    ]


def _register(
    config: ReconstructionConfig,
    run: Run,
    trained: Trained,
    exported: Export,
    place: int,
    name: str,
) -> Registered:
    registrable = Registrable(
        name=name,
        model=exported.model,
        inputs=exported.input_example,
        outputs=exported.output_example,
        trainings={"": trained.trainings[place]},
    )
    return register_export(config, run, trained, registrable)
