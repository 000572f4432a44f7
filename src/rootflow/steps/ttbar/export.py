"""The trained network as ONNX files, proven and registered."""

import numpy as np

from rootflow.config import TtbarConfig
from rootflow.export import export
from rootflow.models import load_model
from rootflow.steps import train
from rootflow.steps.provenance import provenance
from rootflow.steps.result import StepResult
from rootflow.tracking import Run, log_onnx_model, start_run

PARITY_EVENTS = 5_000


def run(config: TtbarConfig, parent: Run | None = None) -> StepResult:
    """Export both variants, and register the one with named inputs."""
    with start_run(config, "export", parent) as run:
        trained = train.ensure(config, run)
        [training], folds = trained.trainings, config.data.folds
        held_out = np.flatnonzero(trained.dataset.fold == folds.held_out)[:PARITY_EVENTS]
        exported = export(
            load_model(training.model_path),
            trained.dataset.events(held_out),
            folds,
            config.export,
            provenance(config, run, trained),
            config.output / "exports" / f"{config.model.name}-{run.run_id[:8]}",
            analysis=config.analysis,
            name=config.model.name,
            units={
                collection: {feature.name: feature.unit for feature in features}
                for collection, features in trained.dataset.manifest.features.items()
            },
        )
        for path in (exported.named_path, exported.flat_path, exported.contract_path):
            run.log_file(path, "export")
        run.log_metrics(
            {
                f"parity_{quantity}": max(row[quantity] for row in exported.parity)
                for quantity in ("probability", "momentum")
            }
        )
        uri = log_onnx_model(
            run,
            exported.model,
            exported.input_example,
            exported.output_example,
            config.export.registered_model or config.analysis,
        )
        facts = {
            "onnx": str(exported.named_path),
            "onnx_flat": str(exported.flat_path),
            "registered_model": uri,
        }
        return StepResult("export", run.run_id, facts, {"parity": exported.parity})
