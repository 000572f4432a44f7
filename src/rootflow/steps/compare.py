"""The models of finished evaluations beside each other."""

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rootflow.analysis import analysis_named
from rootflow.errors import UsageError
from rootflow.evaluation.classification import ScoreTable, compare, draw_comparison, read_scores
from rootflow.steps.result import StepResult
from rootflow.tracking import LoggedRun, artifact_of, run_of_step, start_run_among

SCORES = "scores.parquet"
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
    """Compare the models of runs of evaluate, and log table and figure as a run of its own.

    Parameters
    ----------
    run_ids
        Two or more, of `evaluate` or of `main`.
    replicas, seed
        Of the bootstrap.
    style
        Of the figure: neutral, ATLAS or CMS.
    output
        Directory that gets table and figure, too.

    Raises
    ------
    UsageError
        There are fewer than two runs, or one does not exist or holds no scores.
    InputError
        They scored different events.
    """
    found = [run_of_step(run_id, "evaluate") for run_id in run_ids]
    runs = list({run.run_id: run for run in found}.values())
    if len(runs) < 2:
        raise UsageError(f"compare needs two or more different evaluations, this is {len(runs)}")
    tags = {f"rootflow.compared.{number}": run.run_id for number, run in enumerate(runs, 1)}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        tables = [_scores(run, folder / run.run_id) for run in runs]
        comparison = compare(tables, replicas, seed)
        table = folder / "comparison" / TABLE
        figures = draw_comparison(comparison, table.with_suffix(".png"), style)
        table.write_text(json.dumps(comparison.as_json(), indent=1) + "\n")
        with start_run_among(runs[0].experiment_id, "compare", tags, SPOOLS) as logged:
            metrics = {f"auc/{model.name}": model.auc.value for model in comparison.models}
            logged.log_metrics(metrics)
            logged.log_file(table)
            logged.log_figures(figures)
        if output is not None:
            shutil.copytree(table.parent, output, dirs_exist_ok=True)
    facts = {"events": comparison.events, "replicas": comparison.replicas}
    return StepResult("compare", logged.run_id, facts, {"models": comparison.table()}, metrics)


def _scores(run: LoggedRun, directory: Path) -> ScoreTable:
    analysis = run.params.get("analysis", "")
    if analysis_named(analysis).task != "classification":
        raise UsageError(
            f"run {run.run_id} is of {analysis}, which has no scores: compare runs of classifiers"
        )
    return read_scores(artifact_of(run.run_id, SCORES, directory), run.run_id[:SHORT])
