"""The classifiers of all folds as ONNX files, proven, timed and registered."""

from typing import Any

import numpy as np

from rootflow.config import ClassificationConfig
from rootflow.export import export_classifier, latency_ms, parts_of, ranges_of
from rootflow.steps import train
from rootflow.steps.preprocess import reading_of
from rootflow.steps.provenance import finished, provenance
from rootflow.steps.registry.register import Registrable
from rootflow.steps.registry.register import register as register_export
from rootflow.steps.result import StepResult
from rootflow.tracking import Run, start_run
from rootflow.training import load_fitted

PARITY_EVENTS = 5_000


def run(
    config: ClassificationConfig,
    parent: Run | None = None,
    *,
    register: bool = True,
    training: str | None = None,
) -> StepResult:
    """Export each fold's model, and register the file that picks among them.

    `training` is the digest of the only trainings that will do.
    """
    with start_run(config, "export", parent) as run:
        trained = train.ensure(config, run, training)
        dataset, folds = trained.dataset, config.data.folds.folding
        step = -(-len(dataset) // PARITY_EVENTS)
        exported = export_classifier(
            [load_fitted(training.directory) for training in trained.trainings],
            dataset.events(np.arange(0, len(dataset), step)),
            folds,
            config.export,
            config.inputs,
            provenance(config, run, trained)
            | {"trained_at": max(finished(training) for training in trained.trainings)},
            config.output / "exports" / f"{config.model.name}-{run.run_id[:8]}",
            units={
                collection: {feature.name: feature.unit for feature in features}
                for collection, features in dataset.manifest.features.items()
            },
            branch_map=_branch_map(config),
            selection=reading_of(config).settings,
            ranges=ranges_of(parts_of(dataset)),
            metrics=train.quality(trained.trainings),
            analysis=config.analysis,
            name=config.model.name,
        )
        for path in exported.paths:
            run.log_file(path, "export")
        metrics = {
            "parity_score": max(row["score"] for row in exported.parity),
            "latency_ms": latency_ms(exported.fold_paths[0], exported.input_example),
        }
        run.log_metrics(metrics)
        facts: dict[str, Any] = {"onnx": [str(path) for path in exported.paths]}
        if register:
            made_from = {f"fold{place}": each for place, each in enumerate(trained.trainings)}
            registered = register_export(
                config,
                run,
                trained,
                Registrable(
                    name=config.export.registered_model or config.analysis,
                    model=exported.combined,
                    inputs=exported.input_example,
                    outputs=exported.output_example,
                    trainings=made_from,
                ),
            )
            facts["registered_model"], facts["registered_training"] = registered
        return StepResult("export", run.run_id, facts, {"parity": exported.parity}, metrics)


def _branch_map(config: ClassificationConfig) -> str:
    """Return the map of the simulated samples where they agree, else that of all samples."""
    simulated = [each for each in config.data.samples.values() if each.label != "data"]
    maps: set[str] = {sample.branch_map or config.data.branch_map for sample in simulated}
    return maps.pop() if len(maps) == 1 else config.data.branch_map
