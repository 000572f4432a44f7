"""The whole chain, as children of one run."""

import shutil
import sys
from pathlib import Path

from rootflow.config import Config
from rootflow.steps import evaluate, preprocess, train
from rootflow.steps.preprocess import SKIPPED_FILES, TOLD
from rootflow.steps.result import StepResult
from rootflow.tracking import Run, start_run
from rootflow.tracking.connection import redacted, tracking_uri
from rootflow.training.devices import require_gpus


def run(config: Config, parent: Run | None = None) -> StepResult:
    """Preprocess, train, evaluate, export; what is already made is found again."""
    evaluate.check(config, config.model.name)
    require_gpus()
    with start_run(config, "main", parent) as run:
        preprocessed = preprocess.run(config, run)
        evaluate.check_dataset(config, run)
        train.run(config, run)
        train.ensure(config, run)  # what the parts below find again is this run's, too
        evaluation = evaluate.run(config, run)
        # Here, and not above: TensorFlow takes seconds, and what is wrong in ntuples needs none.
        from rootflow.steps import export

        exported = export.run(config, run)
        run.log_metrics(evaluation.metrics)
        facts = {
            **{name: preprocessed.facts[name] for name in TOLD if name in preprocessed.facts},
            **evaluation.facts,
            **exported.facts,
            "look_at_it": _ui_command(),
            "page": _page(run),
        }
        told = {name: rows for name, rows in preprocessed.tables.items() if name == SKIPPED_FILES}
        tables = told | evaluation.tables
        return StepResult("main", run.run_id, facts, tables, evaluation.metrics)


def _ui_command() -> str:
    """Return what a user types to see the runs in a browser."""
    uri = tracking_uri()
    if uri.startswith("http"):
        return f"open {redacted(uri)}"
    here = f"{Path.cwd()}/"
    mlflow = str(Path(sys.executable).with_name("mlflow"))
    command = "mlflow" if shutil.which("mlflow") == mlflow else mlflow.removeprefix(here)
    return f"{command} ui --backend-store-uri {redacted(uri).replace(here, '')}"


def _page(run: Run) -> str:
    uri = tracking_uri()
    server = redacted(uri).rstrip("/") if uri.startswith("http") else "http://127.0.0.1:5000"
    # Without the workflow the UI shows what it has for agents and their traces.
    view = "workflowType=machine_learning"
    return f"{server}/#/experiments/{run.experiment_id}/runs/{run.run_id}?{view}"
