"""What commands share: how they get their configuration, and tell their result."""

import json
from pathlib import Path

import click

from rootflow.steps.result import StepResult, show

FOLDER = click.Path(file_okay=False, path_type=Path)
AS_JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print the result as one JSON object."
)
STYLE = click.option(
    "--style",
    type=click.Choice(["neutral", "ATLAS", "CMS"]),
    default="neutral",
    show_default=True,
    help="Of the figures.",
)
CONFIG = click.option(
    "--config", "path", type=Path, default=Path("configs/ttbar.yaml"), show_default=True
)
OVERRIDES = click.option(
    "--overrides", default="", help="More settings, in one word: 'key=value key=value'."
)
START = click.option(
    "--from",
    "start",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="Where relative paths of the configuration start.",
)
OTHER_CODE = click.option(
    "--other-code",
    type=click.Choice(["refuse", "warn"]),
    default="refuse",
    show_default=True,
    help="A model whose inputs other code computed than is here: an error, or a line that says so.",
)


def tell(result: StepResult, as_json: bool) -> None:
    """Print a result as tables, or as one JSON object."""
    if as_json:
        click.echo(json.dumps(result.as_json()))
    else:
        show(result)
