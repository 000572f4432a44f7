"""Steps as DAGs of jobs: `rootflow submit STEP --dag`, and what each of their jobs does."""

import contextlib
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from rootflow.commands.apply import apply, words_of_step
from rootflow.commands.options import CONFIG, OVERRIDES, START
from rootflow.config import Config
from rootflow.config.batch import ProfileConfig
from rootflow.config.command import configured
from rootflow.errors import UsageError

if TYPE_CHECKING:
    from rootflow.steps.dag.chain import Step
    from rootflow.steps.result import StepResult

STEPS = ("main", "preprocess", "train", "apply")


def submit_dag(
    step: str,
    command: str,
    project: Path,
    profile: ProfileConfig,
    gib_per_job: float,
    *,
    dry_run: bool,
) -> "StepResult | str":
    """Submit a step as a DAG, or return what would be submitted.

    The command is that of the step's entry point in an MLproject.
    """
    if step not in STEPS:
        raise UsageError(f"submit --dag: {', '.join(STEPS)} are DAGs, {step} is not")
    words = shlex.split(command)
    if step not in words:
        raise UsageError(f"submit --dag: {step} of the project {project} is not rootflow's")
    own = words[words.index(step) + 1 :]
    with contextlib.chdir(project):
        if step == "apply":
            return _apply(own, profile, gib_per_job, dry_run)
        return _chain(cast("Step", step), own, profile, gib_per_job, dry_run)


def _apply(
    words: list[str], profile: ProfileConfig, gib_per_job: float, dry_run: bool
) -> "StepResult | str":
    from rootflow.steps.dag import apply as dag

    said = apply.make_context("apply", words).params
    said.pop("as_json")
    do = dag.dry_run if dry_run else dag.submit
    return do(words_of_step(**said), profile, gib_per_job)


def _chain(
    step: "Step", words: list[str], profile: ProfileConfig, gib_per_job: float, dry_run: bool
) -> "StepResult | str":
    from rootflow.steps.dag import chain

    do = chain.dry_run if dry_run else chain.submit
    return do(step, _configuration(words), profile, gib_per_job)


def _configuration(words: list[str]) -> Config:
    """Return the configuration that the words of a step's command line ask for."""

    @click.command()
    @CONFIG
    @OVERRIDES
    @click.argument("settings", nargs=-1)
    def command(path: Path, overrides: str, settings: tuple[str, ...]) -> Config:
        return configured(path, settings, overrides)

    return cast("Config", command.main(words, standalone_mode=False))


@click.command("node")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("name")
@START
def node(directory: Path, name: str, start: Path) -> None:
    """Do what the node NAME of the DAG in DIRECTORY is for: what its job does."""
    from rootflow.steps.dag import chain

    directory = directory.resolve()
    os.chdir(start)
    chain.run_node(directory, name)
