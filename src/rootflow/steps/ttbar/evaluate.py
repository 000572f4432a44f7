"""The trained network beside the classic methods, on events that it has not seen."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rootflow.config import FoldsConfig, TtbarConfig
from rootflow.evaluation import assess, check_names, draw_evaluation, write_evaluation
from rootflow.evaluation.folder import TABLES
from rootflow.reconstruction.hybrid import RememberingReconstructor
from rootflow.steps import train
from rootflow.steps.provenance import provenance
from rootflow.steps.result import StepResult
from rootflow.steps.ttbar.methods import make_methods, network_of, variants_of
from rootflow.tracking import Run, start_run


def run(config: TtbarConfig, parent: Run | None = None) -> StepResult:
    """Evaluate every method, and log metrics, figures and the report."""
    check_names(config.evaluation, [config.model.name, *config.evaluation.method_names])
    variants = variants_of(config)
    with start_run(config, "evaluate", parent) as run:
        trained_variants = {name: train.ensure(each, run) for name, each in variants.items()}
        trained = train.ensure(config, run)  # last: it is what the run says that it came from
        evaluated = {**trained_variants, config.model.name: trained}
        run.set_tags({f"{train.TAG}.{name}": each.digest for name, each in evaluated.items()})
        every, manifest = config.data.folds.in_turn(), trained.dataset.manifest
        unseen = np.isin(trained.dataset.fold, [folds.held_out for folds in every])
        events = trained.dataset.events(np.flatnonzero(unseen))
        files = [file.sha256 for sample in manifest.samples for file in sample.files]
        model = RememberingReconstructor(network_of(config.model.name, trained))
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary, "evaluation")
            others = make_methods(
                config.evaluation.methods,
                config.seed,
                model,
                {name: network_of(name, each) for name, each in trained_variants.items()},
                Path(temporary),
            )
            assessment = assess(events, [model, *others], config.evaluation, config.seed)
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
        facts = {**_folds(every), "events": len(events)}
        return StepResult("evaluate", run.run_id, facts, {"methods": evaluation.table()}, metrics)


def _folds(every: Sequence[FoldsConfig]) -> dict[str, str]:
    if len(every) > 1:
        return {"folds": f"{len(every)}, each held out"}
    return {"fold": f"{every[0].held_out} of {every[0].count}"}
