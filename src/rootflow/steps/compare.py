"""The models of finished evaluations beside each other."""

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rootflow.analysis import analysis_named
from rootflow.errors import UsageError
from rootflow.evaluation import draw_comparison
from rootflow.evaluation.compare import ComparedModels
from rootflow.steps.result import StepResult
from rootflow.table import write_tables
from rootflow.tracking import artifact_of
from rootflow.tracking.artifacts import LoggedRun, run_of_step
from rootflow.tracking.run import start_run_among

TABLE = "comparison.json"
SPOOLS = Path("outputs", "spool")
# Of a run's id, what names it in tables and messages.
SHORT = 8


def run(
    run_ids: Sequence[str],
    *,
    replicas: int,
    seed: int,
    style: str,
    output: Path | None = None,
) -> StepResult:
    """Compare the models of two runs or more of one task and the same events; log table and figure.

    They are runs of `evaluate` or `main`. The directory `output` gets both, too.
    """
    found = [run_of_step(run_id, "evaluate") for run_id in run_ids]
    runs = list({run.run_id: run for run in found}.values())
    if len(runs) < 2:
        raise UsageError(f"compare needs two or more different evaluations, this is {len(runs)}")
    tags = {f"rootflow.compared.{number}": run.run_id for number, run in enumerate(runs, 1)}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        comparison = _comparison(runs, folder, replicas, seed)
        table = folder / "comparison" / TABLE
        figures = draw_comparison(comparison, table.with_suffix(".png"), style)
        table.write_text(json.dumps(comparison.as_json(), indent=1) + "\n")
        written = write_tables(comparison.tables(), table.parent)
        with start_run_among(runs[0].experiment_id, "compare", tags, SPOOLS) as logged:
            metrics = comparison.logged()
            logged.log_metrics(metrics)
            for path in (table, *written):
                logged.log_file(path)
            logged.log_figures(figures)
        if output is not None:
            shutil.copytree(table.parent, output, dirs_exist_ok=True)
    facts = {"events": comparison.events, "replicas": comparison.replicas}
    models = comparison.tables()[0]
    return StepResult("compare", logged.run_id, facts, {models.name: models.as_rows()}, metrics)


def _comparison(
    runs: Sequence[LoggedRun], folder: Path, replicas: int, seed: int
) -> ComparedModels:
    analyses = {run.run_id: analysis_named(run.params.get("analysis", "")) for run in runs}
    first = runs[0].run_id
    for name, analysis in analyses.items():
        if analysis.task != analyses[first].task:
            raise UsageError(
                f"run {name} is of {analysis.task}, run {first} of {analyses[first].task}: compare "
                "runs of one task"
            )
    steps = analyses[first].steps
    answers = {name[:SHORT]: artifact_of(name, steps.ANSWERS, folder / name) for name in analyses}
    found: ComparedModels = steps.compared(answers, replicas, seed)
    return found
