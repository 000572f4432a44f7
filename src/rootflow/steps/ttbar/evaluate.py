"""The trained network beside the classic methods, on the fold that it has not seen."""

import tempfile
from pathlib import Path

import numpy as np

from rootflow.config import TtbarConfig
from rootflow.evaluation import draw, evaluate, save, write_report
from rootflow.reconstruction.hybrid import RememberingReconstructor
from rootflow.reconstruction.methods import make
from rootflow.reconstruction.network import KerasReconstructor
from rootflow.steps import train
from rootflow.steps.provenance import provenance
from rootflow.steps.result import StepResult
from rootflow.tracking import Run, start_run


def run(config: TtbarConfig, parent: Run | None = None) -> StepResult:
    """Evaluate every method, and log metrics, figures and the report."""
    with start_run(config, "evaluate", parent) as run:
        trained = train.ensure(config, run)
        [training], folds = trained.trainings, config.data.folds
        events = trained.dataset.events(np.flatnonzero(trained.dataset.fold == folds.held_out))
        model = RememberingReconstructor(KerasReconstructor.of_training(training.directory))
        methods = [model, *make(config.evaluation.methods, config.seed, model)]
        evaluation = evaluate(events, methods, config.evaluation, config.seed)
        metrics = evaluation.metrics()
        run.log_metrics(metrics)
        with tempfile.TemporaryDirectory() as folder:
            results, report = Path(folder, "evaluation.json"), Path(folder, "report.html")
            save(evaluation, results)
            figures = draw(evaluation, Path(folder, "figures"), config.evaluation.style)
            write_report(evaluation, figures, provenance(config, run, trained), report)
            run.log_file(results)
            run.log_file(report)
            run.log_figures(figures)
        facts = {"fold": f"{folds.held_out} of {folds.count}", "events": len(events)}
        return StepResult("evaluate", run.run_id, facts, {"methods": evaluation.table()}, metrics)
