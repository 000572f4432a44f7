"""`rootflow compare RUN RUN ...` and `rootflow draw EVALUATION_DIR`."""

from pathlib import Path

import click

from rootflow.commands.options import AS_JSON, FOLDER, STYLE, tell


@click.command("compare")
@click.argument("runs", nargs=-1, metavar="RUN RUN ...")
@click.option(
    "--output",
    type=FOLDER,
    help="Directory that gets table and figure, too.",
)
@click.option(
    "--replicas",
    type=click.IntRange(2, 100_000),
    default=500,
    show_default=True,
    help="Of the bootstrap.",
)
@click.option("--seed", type=click.IntRange(min=0), default=42, show_default=True)
@STYLE
@AS_JSON
def compare(
    runs: tuple[str, ...], output: Path | None, replicas: int, seed: int, style: str, as_json: bool
) -> None:
    """Compare the models of two or more MLflow runs of evaluate or main, event by event."""
    from rootflow.steps import compare as step

    result = step.run(runs, replicas=replicas, seed=seed, style=style, output=output)
    tell(result, as_json)


@click.command("draw")
@click.argument("directory", type=FOLDER)
@STYLE
@click.option(
    "--output",
    type=FOLDER,
    help="Directory that gets figures and report; else the evaluation's own.",
)
def draw(directory: Path, style: str, output: Path | None) -> None:
    """Draw figures and report of an evaluation of any analysis again, from its results alone.

    DIRECTORY holds evaluation.json and provenance.json, as the run of evaluate has them.
    """
    from rootflow.evaluation import draw_evaluation

    figures = draw_evaluation(directory, style, output)
    click.echo(f"{len(figures)} files in {figures[0].parent}, and report.html")
