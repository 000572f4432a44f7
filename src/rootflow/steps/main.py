"""The whole chain, as children of one run."""

from pathlib import Path

from rootflow.config import Config
from rootflow.steps import evaluate, export, preprocess, train
from rootflow.steps.result import StepResult
from rootflow.tracking import Run, redacted, start_run, tracking_uri


def run(config: Config, parent: Run | None = None) -> StepResult:
    """Preprocess, train, evaluate, export; what is already made is found again."""
    with start_run(config, "main", parent) as run:
        preprocess.run(config, run)
        train.run(config, run)
        evaluation = evaluate.run(config, run)
        exported = export.run(config, run)
        run.log_metrics(evaluation.metrics)
        facts = {**evaluation.facts, **exported.facts, "compare_runs": _ui_command()}
        return StepResult("main", run.run_id, facts, evaluation.tables)


def _ui_command() -> str:
    uri = tracking_uri()
    local = f"sqlite:///{Path.cwd()}/"
    if uri.startswith("sqlite:"):
        return f"mlflow ui --backend-store-uri {uri.replace(local, 'sqlite:///')}"
    return f"open {redacted(uri)}"
