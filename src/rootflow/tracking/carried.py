"""A project on its way to a node that does not see its files."""

import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

from rootflow.errors import InputError
from rootflow.tracking.spooled import ARTIFACTS, TRACKING

PROJECT = "project"
PACKAGE = "project.tar"
# What a project without git has and no job needs.
LEFT_OUT = {".git", ".venv", "__pycache__", "mlruns", "mlartifacts", "outputs"}


def pack(project: Path, more: Sequence[str], directory: Path) -> Path:
    """Write the project's files into one in `directory`, and return it.

    Parameters
    ----------
    project
        Its folder: what git knows or does not ignore, or everything where it has no git.
    more
        Files and folders below it that git ignores and the job needs.

    Raises
    ------
    InputError
        One of `more` is not there.
    """
    for name in more:
        if not (project / name).exists():
            raise InputError(f"inputs: {project / name} is not there")
    with tarfile.open(directory / PACKAGE, "w", dereference=True) as archive:
        for name in sorted({*_files(project), *more}):
            archive.add(project / name, name)
    return directory / PACKAGE


def script(command: str, project: Path) -> str:
    """Return the shell lines that unpack the project where they are and run `command` in it."""
    # MLflow makes paths absolute; what lies in the project is at another place there.
    there = command.replace(f"{project.absolute()}/", "")
    # New experiments keep their artifacts in the working directory's mlruns: it is another one.
    link = f"ln -sfn ../{TRACKING}/{ARTIFACTS} {PROJECT}/{ARTIFACTS}"
    return (
        f"mkdir -p {PROJECT} && tar -xf {PACKAGE} -C {PROJECT} && {link} && cd {PROJECT} && {there}"
    )


def _files(project: Path) -> list[str]:
    command = ["git", "-C", str(project), "ls-files", "-z", "--cached", "--others"]
    answer = subprocess.run(  # noqa: S603 - fixed words, no shell
        [*command, "--exclude-standard"], capture_output=True, text=True, check=False
    )
    if answer.returncode == 0:
        names = answer.stdout.split("\0")
        return [name for name in names if name and (project / name).exists()]
    return [path.name for path in project.iterdir() if path.name not in LEFT_OUT]
