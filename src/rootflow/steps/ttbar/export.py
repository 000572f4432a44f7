"""The trained networks as ONNX files, proven, timed and registered."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rootflow.config import FoldsConfig, TtbarConfig
from rootflow.export import Export, export, fold_name, latency_ms
from rootflow.files import whole_directory
from rootflow.models import load_model
from rootflow.steps import train
from rootflow.steps.provenance import provenance
from rootflow.steps.registry.register import Registered, Registrable
from rootflow.steps.registry.register import register as register_export
from rootflow.steps.result import StepResult
from rootflow.steps.train import Trained
from rootflow.tracking import Run, start_run
from rootflow.training import Training

PARITY_EVENTS = 5_000
PARITY = ("probability", "momentum")


def run(
    config: TtbarConfig,
    parent: Run | None = None,
    *,
    register: bool = True,
    training: str | None = None,
) -> StepResult:
    """Export both variants of the network of each held-out fold, and register the named one.

    Where every fold is held out, each has a folder and a registered model of its own, both
    named by the fold that the network may be applied to. `training` is the digest of the only
    trainings that will do.
    """
    with start_run(config, "export", parent) as run:
        trained = train.ensure(config, run, training)
        every = config.data.folds.in_turn()
        several = len(every) > 1
        exports = _export_all(config, run, trained, every)
        for exported in exports:
            for path in (exported.named_path, exported.flat_path, exported.contract_path):
                run.log_file(path, "export")
        rows = [
            {**({"fold": folds.held_out} if several else {}), **row}
            for exported, folds in zip(exports, every, strict=True)
            for row in exported.parity
        ]
        metrics = {f"parity_{name}": max(row[name] for row in rows) for name in PARITY}
        metrics["latency_ms"] = latency_ms(exports[0].named_path, exports[0].input_example)
        run.log_metrics(metrics)
        facts: dict[str, Any] = {
            "onnx": [str(exported.named_path) for exported in exports],
            "onnx_flat": [str(exported.flat_path) for exported in exports],
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
        if not several:
            facts = {fact: values[0] for fact, values in facts.items()}
        return StepResult("export", run.run_id, facts, {"parity": rows}, metrics)


def _export_all(
    config: TtbarConfig, run: Run, trained: Trained, every: Sequence[FoldsConfig]
) -> list[Export]:
    """Return the exports of all networks, which are there together or not at all."""
    origin = provenance(config, run, trained)
    directory = config.output / "exports" / f"{config.model.name}-{run.run_id[:8]}"
    if len(every) == 1:
        return [_export(config, trained, trained.trainings[0], every[0], origin, directory)]
    with whole_directory(directory) as partial:
        exports = [
            _export(config, trained, training, folds, origin, partial / fold_name(folds))
            for training, folds in zip(trained.trainings, every, strict=True)
        ]
    return [_moved(exported, partial, directory) for exported in exports]


def _moved(exported: Export, old: Path, new: Path) -> Export:
    named, flat, contract = (
        new / path.relative_to(old)
        for path in (exported.named_path, exported.flat_path, exported.contract_path)
    )
    return exported._replace(named_path=named, flat_path=flat, contract_path=contract)


def _export(
    config: TtbarConfig,
    trained: Trained,
    training: Training,
    folds: FoldsConfig,
    origin: dict[str, str],
    directory: Path,
) -> Export:
    held_out = np.flatnonzero(trained.dataset.fold == folds.held_out)[:PARITY_EVENTS]
    return export(
        load_model(training.model_path),
        trained.dataset.events(held_out),
        folds,
        config.export,
        origin,
        directory,
        analysis=config.analysis,
        name=config.model.name,
        units={
            collection: {feature.name: feature.unit for feature in features}
            for collection, features in trained.dataset.manifest.features.items()
        },
    )


def _register(
    config: TtbarConfig, run: Run, trained: Trained, exported: Export, place: int, name: str
) -> Registered:
    named = [row for row in exported.parity if row["variant"] == "named"]
    registrable = Registrable(
        name=name,
        model=exported.model,
        inputs=exported.input_example,
        outputs=exported.output_example,
        trainings={"": trained.trainings[place]},
        parity={f"parity_{quantity}": max(row[quantity] for row in named) for quantity in PARITY},
    )
    return register_export(config, run, trained, registrable)
