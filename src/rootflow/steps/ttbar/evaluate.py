"""The trained network beside the classic methods, on the fold that it has not seen."""

import tempfile
from pathlib import Path

import numpy as np

from rootflow.config import TtbarConfig
from rootflow.evaluation import assess, check_names, draw_evaluation, write_evaluation
from rootflow.evaluation.folder import TABLES
from rootflow.reconstruction.contract import Reconstructor
from rootflow.reconstruction.network import KerasReconstructor
from rootflow.steps import train
from rootflow.steps.provenance import provenance
from rootflow.steps.result import StepResult
from rootflow.steps.ttbar.methods import make_methods
from rootflow.tracking import Run, start_run


def run(config: TtbarConfig, parent: Run | None = None) -> StepResult:
    """Evaluate every method, and log metrics, figures and the report."""
    check_names(config.evaluation, [config.model.name, *config.evaluation.method_names])
    with start_run(config, "evaluate", parent) as run:
        trained = train.ensure(config, run)
        [training], folds = trained.trainings, config.data.folds
        manifest = trained.dataset.manifest
        events = trained.dataset.events(np.flatnonzero(trained.dataset.fold == folds.held_out))
        files = [file.sha256 for sample in manifest.samples for file in sample.files]
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary, "evaluation")
            methods: list[Reconstructor] = [
                KerasReconstructor.of_training(training.directory),
                *make_methods(config.evaluation.methods, config.seed, Path(temporary)),
            ]
            assessment = assess(events, methods, config.evaluation, config.seed)
            evaluation = assessment.evaluation
            metrics = evaluation.metrics()
            run.log_metrics(metrics)
            origin = provenance(config, run, trained)
            write_evaluation(assessment, config.evaluation.unfold, files, origin, folder)
            figures = draw_evaluation(folder, config.evaluation.style)
            for path in sorted(path for path in folder.iterdir() if path.is_file()):
                run.log_file(path)
            for path in sorted((folder / TABLES).iterdir()):
                run.log_file(path, TABLES)
            run.log_figures(figures)
        facts = {"fold": f"{folds.held_out} of {folds.count}", "events": len(events)}
        return StepResult("evaluate", run.run_id, facts, {"methods": evaluation.table()}, metrics)
