"""`rootflow compare RUN RUN ...`."""

from pathlib import Path

import click

from rootflow.commands.options import AS_JSON, STYLE, tell


@click.command("compare")
@click.argument("runs", nargs=-1, metavar="RUN RUN ...")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
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
