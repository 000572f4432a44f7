"""`rootflow draw EVALUATION_DIR`."""

from pathlib import Path

import click

from rootflow.commands.options import STYLE


@click.command("draw")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@STYLE
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory that gets figures and report; else the evaluation's own.",
)
def draw(directory: Path, style: str, output: Path | None) -> None:
    """Draw figures and report of an evaluation of any analysis again, from its results alone.

    DIRECTORY holds evaluation.json and provenance.json, as the run of evaluate has them.
    """
    from rootflow.evaluation import draw_evaluation

    figures = draw_evaluation(directory, style, output)
    click.echo(f"{len(figures)} files in {figures[0].parent}, and report.html")
