"""`rootflow apply --model MODEL IN ... OUT`."""

from typing import TYPE_CHECKING, Any, Literal

import click

from rootflow.commands.options import AS_JSON, OTHER_CODE, tell
from rootflow.errors import UsageError

if TYPE_CHECKING:
    from rootflow.exported.contract import OtherCode
    from rootflow.formats.writing import Format
    from rootflow.inference.application import SeenEvents


@click.command("apply")
@click.option(
    "--model",
    "models",
    required=True,
    multiple=True,
    metavar="MODEL",
    help="models:/NAME/VERSION, models:/NAME@ALIAS, an ONNX file of export, the folder with its "
    "folds.json, or the id of a run; repeat it for one file for each fold.",
)
@click.option(
    "--branch-map", help="Another than the model's: name of a shipped map, or a YAML file."
)
@click.option("--name", help="Of the new branches, NAME_fold and so on; else the model's.")
@click.option(
    "--seen-events",
    type=click.Choice(["refuse", "skip", "score"]),
    default="refuse",
    show_default=True,
    help="Events in folds that the model was trained on: an error, no score, or a score "
    "(for collisions, and what else was not in the training).",
)
@OTHER_CODE
@click.option("--keep", multiple=True, metavar="PATTERN", help="Copy only these branches.")
@click.option("--drop", multiple=True, metavar="PATTERN", help="Leave these branches out.")
@click.option("--selected-only", is_flag=True, help="Write only the events that are selected.")
@click.option(
    "--friend",
    is_flag=True,
    help="Write no copy but a friend tree: the new branches alone, and those that say which event "
    "it is, for each entry of the input in its order.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["auto", "ttree", "rntuple", "parquet"]),
    default="auto",
    show_default=True,
    help="What is written; auto: Parquet where OUT ends in .parquet, else a TTree.",
)
@click.option(
    "--workers",
    type=click.IntRange(0, 1024),
    default=0,
    show_default=True,
    help="Processes in all; 0: one for each core.",
)
@AS_JSON
@click.argument("paths", nargs=-1, metavar="IN ... OUT", type=str)
def apply(as_json: bool, **said: Any) -> None:
    """Write files again, each event with the answer of a model that has not seen it.

    They are ROOT files with a TTree or an RNTuple, Parquet, HDF5 or CSV. OUT is a file, if it ends
    in .root or .parquet, or a folder for one file for each input.
    """
    from rootflow.steps import apply as step

    tell(step.run(**words_of_step(**said)), as_json)


def words_of_step(
    models: tuple[str, ...],
    branch_map: str | None,
    name: str | None,
    seen_events: "SeenEvents",
    other_code: "OtherCode",
    keep: tuple[str, ...],
    drop: tuple[str, ...],
    selected_only: bool,
    friend: bool,
    file_format: "Format | Literal['auto']",
    workers: int,
    paths: tuple[str, ...],
) -> dict[str, Any]:
    """Return what the step is given by its names, of what the command is given."""
    if len(paths) < 2:
        raise UsageError("apply: name one file or more to read, and last the one to write")
    from rootflow.formats import find_files
    from rootflow.places import place_of
    from rootflow.steps.exported_files import paths_of, words_of

    # `mlflow run` quotes what it is given: several files come as one word, globs as they are.
    words = [word for path in paths[:-1] for word in paths_of(path)]
    return {
        "model": models,
        "paths": find_files(words, setting="apply"),
        "output": place_of(paths[-1], "apply"),
        "branch_map": branch_map or None,
        "name": name or None,
        "seen_events": seen_events,
        "other_code": other_code,
        "kept": tuple(word for text in keep for word in words_of(text)),
        "dropped": tuple(word for text in drop for word in words_of(text)),
        "selected_only": selected_only,
        "friend": friend,
        "file_format": None if file_format == "auto" else file_format,
        "workers": workers or None,
    }
