"""`rootflow registry list|show|promote|rollback`."""

from pathlib import Path

import click
import yaml

from rootflow.commands.options import AS_JSON, CONFIG, OVERRIDES, tell
from rootflow.config.command import configured
from rootflow.errors import RootflowError, UsageError


@click.group("registry")
def registry() -> None:
    """Look at registered models, and decide which of them is the champion."""


@registry.command("list")
@click.argument("name", required=False)
@AS_JSON
def _list(name: str | None, as_json: bool) -> None:
    """List the versions of the registered model NAME, or of all."""
    from rootflow.steps.registry import listing

    result = listing.run(name)
    if as_json or result.tables["models"]:
        tell(result, as_json)
    else:
        click.echo("no model is registered yet: `rootflow export` registers one", err=True)


@registry.command("show")
@click.argument("model", metavar="models:/NAME/VERSION")
@AS_JSON
def _show(model: str, as_json: bool) -> None:
    """Tell of one version: its card, its tags and the contract of its file."""
    from rootflow.steps.registry import listing

    result = listing.show(model)
    if not as_json:
        click.echo(result.facts.pop("card"))
        click.echo(yaml.safe_dump({"contract": result.facts.pop("contract")}, sort_keys=False))
    tell(result, as_json)


@registry.command("promote")
@CONFIG
@OVERRIDES
@AS_JSON
@click.argument("words", nargs=-1, metavar="[MODEL] [key=value ...]")
def _promote(path: Path, overrides: str, as_json: bool, words: tuple[str, ...]) -> None:
    """Make MODEL the champion if it is better on events that neither has seen.

    MODEL is models:/NAME/VERSION, models:/NAME@ALIAS, or VERSION or @ALIAS of the configured
    registered model; without it, @candidate. Exit status 1 and the reasons where it is refused.
    """
    settings = [word for word in words if "=" in word]
    models = [word for word in words if "=" not in word and word]
    if len(models) > 1:
        raise UsageError(f"registry promote: one model at a time, these are {', '.join(models)}")
    config = configured(path, settings, overrides)
    from rootflow.steps.registry import promote

    result = promote.run(config, models[0] if models else "")
    tell(result, as_json)
    if result.facts["reasons"]:
        reasons = "; ".join(result.facts["reasons"])
        raise RootflowError(f"{result.facts['model']} is refused: {reasons}")


@registry.command("rollback")
@click.argument("name")
@AS_JSON
def _rollback(name: str, as_json: bool) -> None:
    """Give the alias champion of the registered model NAME back to the version before."""
    from rootflow.steps.registry import promote

    tell(promote.rollback(name), as_json)
