"""`rootflow submit|follow|jobs`: runs as jobs."""

import sys
from pathlib import Path
from typing import Any

import click

from rootflow.commands.options import AS_JSON, FOLDER, tell
from rootflow.config.batch import load_profile, profile_of
from rootflow.errors import RootflowError, UsageError
from rootflow.files import read_bytes

LONGEST_NAME = 200


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
@click.option(
    "--each",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A run for each line of this file, which has settings: 'key=value key=value'; all of "
    "them in one submission.",
)
@click.option("--project", default=".", show_default=True, help="Folder with an MLproject.")
@click.option("--dry-run", is_flag=True, help="Print what would be submitted, and stop.")
@click.option("--wait", is_flag=True, help="Return when the job has ended.")
@click.option(
    "--dag",
    "as_dag",
    is_flag=True,
    help="main, preprocess, train or apply as a DAG of jobs: several for many files, one for each "
    "held-out fold. Submitted again after a node has failed, it goes on from there.",
)
@click.option(
    "--gib-per-job",
    type=click.FloatRange(min=0, min_open=True),
    default=2.0,
    show_default=True,
    help="With --dag: how much each of the jobs that read files reads of them.",
)
def submit(
    entry_point: str,
    profile: Path,
    parameters: tuple[str, ...],
    each: Path | None,
    project: str,
    dry_run: bool,
    wait: bool,
    as_dag: bool,
    gib_per_job: float,
) -> None:
    """Run ENTRY_POINT of an MLproject as a job.

    The same as `mlflow run PROJECT -e ENTRY_POINT --backend htcondor --backend-config PROFILE`.
    """
    words = load_profile(profile).model_dump(mode="json")
    words["wait"] = wait or words["wait"]
    if as_dag:
        if each is not None:
            raise UsageError("submit: --each is of single jobs, --dag of several for one step")
        _submit_dag(entry_point, words, dict(map(_pair, parameters)), project, gib_per_job, dry_run)
        return
    lines = _lines(each) if each is not None else [None]
    pairs = dict(_pair(text) for text in parameters)
    from rootflow.tracking import backend
    from rootflow.tracking.submission import RunToMake

    runs = [RunToMake(*_one_of(pairs, line)) for line in lines]
    if dry_run:
        click.echo(backend.describe(project, entry_point, runs, words), nl=False)
        return
    backend.submit(project, entry_point, runs, words)


def _submit_dag(
    step: str,
    words: dict[str, Any],
    pairs: dict[str, str],
    project: str,
    gib_per_job: float,
    dry_run: bool,
) -> None:
    from rootflow.commands.dag import submit_dag
    from rootflow.tracking.backend import project_of
    from rootflow.tracking.submission import RunToMake

    found = project_of(project, step, [RunToMake(pairs)])
    profile = profile_of(words, "profile")
    result = submit_dag(
        step, found.command(pairs), found.work_dir, profile, gib_per_job, dry_run=dry_run
    )
    if isinstance(result, str):
        click.echo(result, nl=False)
    else:
        tell(result, as_json=False)


@click.command("follow")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def follow(folder: Path) -> None:
    """Wait for the job of the run in FOLDER, and print how it ended.

    A process that `mlflow run` and `rootflow submit` leave behind keeps the run true; where it
    was killed, this starts it again.
    """
    from rootflow.following import follow as until_it_ends

    ending = until_it_ends(folder.resolve())
    click.echo(ending.status)
    if ending.status != "FINISHED":
        if ending.reason:
            click.echo(f"rootflow: {ending.reason}", err=True)
        sys.exit(RootflowError.exit_status)


@click.command("jobs")
@click.option(
    "--output",
    type=FOLDER,
    default=Path("outputs"),
    show_default=True,
    help="Output directory whose runs and studies are looked at, beside what is in the queue.",
)
@click.option("--all", "everything", is_flag=True, help="Also those that ended long ago.")
@click.option(
    "--clean",
    is_flag=True,
    help="Remove what is finished: archives, folders and logs of runs that have ended.",
)
@AS_JSON
def jobs(output: Path, everything: bool, clean: bool, as_json: bool) -> None:
    """List all jobs of runs and of studies: where they are, and what held ones need."""
    from rootflow.steps import jobs as step

    tell(step.clean(output) if clean else step.run(output, everything=everything), as_json)


def _lines(path: Path) -> list[str | None]:
    """Return the lines of a file that say something."""
    try:
        text = read_bytes(path).decode(errors="replace")
    except OSError as error:
        raise UsageError(f"--each {path}: cannot be read: {error.strerror}") from None
    stripped = (line.strip() for line in text.splitlines())
    lines: list[str | None] = [line for line in stripped if line and not line.startswith("#")]
    if not lines:
        raise UsageError(f"--each {path}: it has no line with settings")
    return lines


def _one_of(pairs: dict[str, str], line: str | None) -> tuple[dict[str, str], str | None]:
    """Return the parameters and the name of a run, with the settings of a line where there is."""
    if line is None:
        return pairs, None
    overrides = " ".join(filter(None, (pairs.get("overrides"), line)))
    return {**pairs, "overrides": overrides}, line[:LONGEST_NAME]


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"-P {text}: write it as name=value")
    return name, value
