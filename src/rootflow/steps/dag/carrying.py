"""Jobs of nodes that do not see the files of this machine: what they are brought."""

import os
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rootflow.batch import Job, function_job
from rootflow.config.batch import ProfileConfig
from rootflow.tracking.carried import pack

PACKAGES = Path(__file__).parents[3]
# So that a job takes the CPUs it asked for; TensorFlow's threads within an operation are fixed.
THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTEROP_THREADS")
CODE, ARCHIVES, FILES = "code", "archives", "files"


def search_path() -> list[Path]:
    """Return where Python finds rootflow and code of one's own."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return [PACKAGES, *(Path(path).resolve() for path in given if path)]


def threads(profile: ProfileConfig) -> dict[str, str]:
    """Return the variables by which a job takes no more CPUs than it has."""
    return {thread: str(profile.job.cpus) for thread in THREADS}


def carried_call(
    name: str,
    function: str,
    arguments: Mapping[str, Any],
    folder: Path,
    profile: ProfileConfig,
    *,
    inputs: Sequence[Path],
    outputs: tuple[str, ...],
) -> Job:
    """Return a job of a DAG in a folder that calls a function of what it is brought."""
    # What is not packed is of the environment, which nodes have.
    code = [path for path in search_path() if not path.is_relative_to(sys.prefix)]
    archives = {
        f"{CODE}/{number}": pack(path, (), folder / ARCHIVES)
        for number, path in enumerate(code)
        if path.is_dir()
    }
    environment = {
        "PYTHONPATH": os.pathsep.join(archives),
        **threads(profile),
        **profile.job.environment,
    }
    resources = profile.job.model_copy(update={"environment": environment})
    call = name, function, arguments, folder / name
    brought = tuple(dict.fromkeys([*inputs, *archives.values()]))
    job = function_job(*call, inputs=brought, outputs=outputs, resources=resources)
    unpacking = [
        f"mkdir -p {place} && tar -xf {shlex.quote(archive.name)} -C {place}"
        for place, archive in archives.items()
    ]
    script = " && ".join([*unpacking, f"exec {shlex.join(job.command)}"])
    return replace(job, command=("bash", "-c", script))


def links(paths: Iterable[Path], folder: Path) -> dict[Path, Path]:
    """Return a link to each file, of a name that no other has, for jobs to be brought."""
    (folder / FILES).mkdir(exist_ok=True)
    found = {}
    for number, path in enumerate(dict.fromkeys(paths)):
        link = folder / FILES / f"{number}-{path.name}"
        link.unlink(missing_ok=True)
        link.symlink_to(path.resolve())
        found[path] = link
    return found
