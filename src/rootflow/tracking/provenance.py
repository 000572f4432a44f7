"""Where a result came from: code, packages, machine."""

import os
import platform
import subprocess
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import psutil

from rootflow import __version__


def git_tags() -> dict[str, str]:
    """Return the commit of the working directory, and whether the tree was clean."""
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return {"rootflow.tree": "no git repository"}
    clean = _git("status", "--porcelain") == ""
    return {"mlflow.source.git.commit": commit, "rootflow.tree": "clean" if clean else "dirty"}


def environment() -> dict[str, Any]:
    """Return the machine and the version of every installed package."""
    return {
        "rootflow": __version__,
        "python": platform.python_version(),
        "machine": {
            "host": platform.node(),
            "system": platform.platform(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        },
        "packages": _packages(),
    }


@cache
def _packages() -> dict[str, str]:
    packages = {each.metadata["Name"]: each.version for each in distributions()}
    return dict(sorted(packages.items(), key=lambda item: item[0].lower()))


def _git(*arguments: str) -> str | None:
    try:
        answer = subprocess.run(  # noqa: S603 - fixed words, no shell
            ["git", "-C", str(Path.cwd()), *arguments],  # noqa: S607 - the user's own git
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
