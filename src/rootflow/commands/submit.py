"""`rootflow submit` and `rootflow follow`: entry points as jobs."""

import sys
from pathlib import Path

import click

from rootflow.config.batch import load_profile
from rootflow.errors import RootflowError, UsageError


@click.command("submit")
@click.argument("entry_point")
@click.option(
    "--profile",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("condor/profiles/generic.json"),
    show_default=True,
    help="How jobs run at the site.",
)
@click.option("-P", "parameters", multiple=True, metavar="NAME=VALUE", help="As in `mlflow run`.")
@click.option("--project", default=".", show_default=True, help="Folder with an MLproject.")
@click.option("--dry-run", is_flag=True, help="Print what would be submitted, and stop.")
@click.option("--wait", is_flag=True, help="Return when the job has ended.")
def submit(
    entry_point: str,
    profile: Path,
    parameters: tuple[str, ...],
    project: str,
    dry_run: bool,
    wait: bool,
) -> None:
    """Run ENTRY_POINT of an MLproject as a job.

    The same as `mlflow run PROJECT -e ENTRY_POINT --backend htcondor --backend-config PROFILE`.
    """
    words = load_profile(profile).model_dump(mode="json")
    pairs = dict(_pair(text) for text in parameters)
    if dry_run:
        from rootflow.tracking.backend import describe

        click.echo(describe(project, entry_point, pairs, words), nl=False)
        return
    from rootflow.tracking.backend import submit as run

    run(project, entry_point, pairs, {**words, "wait": wait or words["wait"]})


@click.command("follow")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def follow(folder: Path) -> None:
    """Keep the MLflow run of the job in FOLDER true until the job has ended.

    `mlflow run` leaves a process behind that does so; this takes over when it was killed.
    """
    from rootflow.tracking.watching import watch

    status = watch(folder)
    click.echo(status)
    if status != "FINISHED":
        sys.exit(RootflowError.exit_status)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"-P {text}: write it as name=value")
    return name, value
