"""What the job of a study's trial runs."""

import os
from pathlib import Path

import click

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("directory", type=FOLDER)
@click.option(
    "--from",
    "start",
    type=FOLDER,
    default=Path(),
    help="Where relative paths of the configuration start.",
)
def trial(directory: Path, start: Path) -> None:
    """Measure one trial of a study in its DIRECTORY, or go on with it: what its job does."""
    from rootflow.steps import trial as step

    directory = directory.resolve()
    os.chdir(start)
    step.run(directory)
