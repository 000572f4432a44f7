"""The trained classifiers side by side, each event scored by a model that has not seen it."""

import tempfile
from pathlib import Path

from rootflow.config import ClassifierConfig, H4lConfig
from rootflow.evaluation.classification import (
    cautions_of,
    draw,
    evaluate,
    save,
    write_report,
    write_scores,
)
from rootflow.scoring import FoldedScorer
from rootflow.steps import train
from rootflow.steps.provenance import provenance
from rootflow.steps.result import StepResult
from rootflow.tracking import Run, start_run


def run(config: H4lConfig, parent: Run | None = None) -> StepResult:
    """Evaluate the model and those beside it, and log metrics, figures, scores and the report."""
    with start_run(config, "evaluate", parent) as run:
        models = [config.model, *config.evaluation.compare_with]
        beside = [train.ensure(_with_model(config, model), run) for model in models[1:]]
        trained = [train.ensure(config, run), *beside]  # last: what the run says it came from
        named = zip(models, trained, strict=True)
        run.set_tags({f"{train.TAG}.{model.name}": each.digest for model, each in named})
        dataset = trained[0].dataset
        scorers = [
            FoldedScorer.of_trainings([each.directory for each in made.trainings], model.name)
            for model, made in zip(models, trained, strict=True)
        ]
        events, samples = dataset.events(), dataset.manifest.samples
        evaluation = evaluate(
            events, samples, scorers, config.inputs, config.evaluation, config.seed
        )
        metrics = evaluation.metrics()
        run.log_metrics(metrics)
        with tempfile.TemporaryDirectory() as folder:
            results, report = Path(folder, "evaluation.json"), Path(folder, "report.html")
            scores = Path(folder, "scores.parquet")
            save(evaluation, results)
            write_scores(events, samples, evaluation.scored, scores)
            figures = draw(evaluation, Path(folder, "figures"), config.evaluation.style)
            write_report(evaluation, figures, provenance(config, run, trained[0]), report)
            for path in (results, scores, report):
                run.log_file(path)
            run.log_figures(figures)
        facts = {
            "folds": f"{config.data.folds.count}, each held out",
            "events": len(events),
            "caution": cautions_of(evaluation),
        }
        return StepResult("evaluate", run.run_id, facts, evaluation.tables(), metrics)


def _with_model(config: H4lConfig, model: ClassifierConfig) -> H4lConfig:
    beside = [other for other in config.evaluation.compare_with if other.name != model.name]
    evaluation = config.evaluation.model_copy(update={"compare_with": beside})
    return config.model_copy(update={"model": model, "evaluation": evaluation})
