"""How a command gets its configuration."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from rootflow.config import Config, load
from rootflow.errors import UsageError

OTHER_CODE = click.Option(
    ["--other-code"],
    type=click.Choice(["refuse", "warn"]),
    default="refuse",
    show_default=True,
    help="A model whose inputs other code computed than is here: an error, or a line that says so.",
)


def configured(path: Path, settings: Sequence[str], overrides: str) -> Config:
    """Return the checked configuration.

    Parameters
    ----------
    path
        Of the YAML.
    settings
        key.path=value each.
    overrides
        More of them, in one word, as `mlflow run` has them.

    Raises
    ------
    UsageError
        The file cannot be read, a key is not known or a value is not allowed.
    """
    try:
        more = shlex.split(overrides)
    except ValueError as error:
        raise UsageError(f"--overrides {overrides!r}: {error}") from None
    return load(path, [*settings, *more])
