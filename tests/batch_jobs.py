"""Executors of every kind, on the real pool."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rootflow.batch import Executor, Job, function_job, make_executor
from rootflow.config.batch import ProfileConfig, profile_of

SMALL: dict[str, Any] = {"memory_gib": 0.125, "disk_gib": 0.01}
KINDS: dict[str, dict[str, Any]] = {
    "local": {"executor": "local", "slots": 4},
    "shared": {"executor": "htcondor", "files": "shared"},
    "transfer": {"executor": "htcondor", "files": "transfer"},
    "spool": {"executor": "htcondor", "files": "spool"},
}

MakeJob = Callable[..., Job]


def profile(kind: str, **words: Any) -> ProfileConfig:
    job = SMALL | words.pop("job", {})
    return profile_of({**KINDS[kind], "grace": "2s", "job": job, **words}, kind)


def shell_job(place: Path, line: str, name: str = "job", **words: Any) -> Job:
    """Return a job below `place` of a line for the shell."""
    return Job(name, ("bash", "-c", line), place / name, **words)


def call(place: Path, what: str, name: str = "job", **words: Any) -> Job:
    """Return a job below `place` that calls a function of batch/functions.py."""
    outputs, resources = words.pop("outputs", ()), words.pop("resources", None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent / "batch"))
        return function_job(
            name, f"functions:{what}", words, place / name, outputs=outputs, resources=resources
        )


@pytest.fixture(params=["local", "shared", "transfer"])
def kind(request: pytest.FixtureRequest) -> str:
    """Return the kind of the executor; those of HTCondor need the pool."""
    if request.param != "local":
        request.getfixturevalue("pool")
    return str(request.param)


@pytest.fixture
def executor(kind: str, tmp_path: Path) -> Executor:
    return make_executor(profile(kind), tmp_path / "batch")


@pytest.fixture
def shell(tmp_path: Path) -> MakeJob:
    """Return how to make a job of a line for the shell."""
    return partial(shell_job, tmp_path)


@pytest.fixture
def function(tmp_path: Path) -> MakeJob:
    """Return how to make a job that calls a function of batch/functions.py."""
    return partial(call, tmp_path)
