"""`rootflow apply --model MODEL IN.root ... OUT.root`."""

import shlex
from pathlib import Path

import click

from rootflow.commands.output import tell
from rootflow.errors import UsageError


@click.command("apply")
@click.option(
    "--model",
    required=True,
    metavar="MODEL",
    help="models:/NAME/VERSION, models:/NAME@ALIAS, or an ONNX file of export.",
)
@click.option(
    "--branch-map", help="Another than the model's: name of a shipped map, or a YAML file."
)
@click.option("--name", help="Of the new branches, NAME_score and so on; else the model's.")
@click.option("--drop", multiple=True, metavar="BRANCH", help="Leave a branch out; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.argument(
    "paths",
    nargs=-1,
    metavar="IN.root ... OUT.root",
    type=click.Path(dir_okay=False, path_type=Path),
)
def apply(
    model: str,
    branch_map: str | None,
    name: str | None,
    drop: tuple[str, ...],
    as_json: bool,
    paths: tuple[Path, ...],
) -> None:
    """Write ROOT files again, each event with its score by a model that has not seen it."""
    if len(paths) < 2:
        raise UsageError("apply: name one ROOT file or more to read, and last the one to write")
    from rootflow.ntuple import find_files
    from rootflow.steps import apply as step

    # `mlflow run` quotes what it is given: several files come as one word, globs as they are.
    words = [word for path in paths[:-1] for word in _words(path)]
    inputs = find_files(words, setting="apply")
    result = step.run(model, inputs, paths[-1], branch_map=branch_map, name=name, dropped=drop)
    tell(result, as_json)


def _words(path: Path) -> list[str]:
    return [str(path)] if path.exists() else shlex.split(str(path))
