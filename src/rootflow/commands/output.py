"""How a command tells its result."""

import json

import click

from rootflow.steps.result import StepResult


def tell(result: StepResult, as_json: bool) -> None:
    """Print a result as tables, or as one JSON object."""
    if as_json:
        click.echo(json.dumps(result.as_json()))
    else:
        from rootflow.steps.show import show

        show(result)
