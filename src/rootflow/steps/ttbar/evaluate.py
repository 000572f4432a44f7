"""The trained network beside the classic methods, on events that it has not seen."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rootflow.config import FoldsConfig, TtbarConfig
from rootflow.evaluation import draw, evaluate, save, write_report
from rootflow.reconstruction.contract import Reconstructor
from rootflow.reconstruction.folded import FoldedReconstructor
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
        every = config.data.folds.in_turn()
        unseen = np.isin(trained.dataset.fold, [folds.held_out for folds in every])
        events = trained.dataset.events(np.flatnonzero(unseen))
        model = RememberingReconstructor(
            _network([training.directory for training in trained.trainings])
        )
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
        facts = {**_folds(every), "events": len(events)}
        return StepResult("evaluate", run.run_id, facts, {"methods": evaluation.table()}, metrics)


def _network(trainings: Sequence[Path]) -> Reconstructor:
    if len(trainings) > 1:
        return FoldedReconstructor.of_trainings(trainings)
    return KerasReconstructor.of_training(trainings[0])


def _folds(every: Sequence[FoldsConfig]) -> dict[str, str]:
    if len(every) > 1:
        return {"folds": f"{len(every)}, each held out"}
    return {"fold": f"{every[0].held_out} of {every[0].count}"}
