"""Jobs: one vocabulary, and executors that keep one contract.

An executor runs jobs, and knows them again after a restart of this process. Everything is kept in
the folder that it was made with: another one made with the same profile and folder, now or later,
knows the same jobs by the same ids. Two processes may use one folder at once.

A job that exits 85 goes on later: it is idle again, and starts again in its folder, until it has
started `limits.starts` times.
"""

from pathlib import Path

from rootflow.batch.contract import ENDED, Job, JobError, State, Status, function_job, read
from rootflow.batch.htcondor import HTCondorExecutor
from rootflow.batch.local import LocalExecutor
from rootflow.config.batch import ProfileConfig, load_profile
from rootflow.errors import InputError
from rootflow.files import whole_file

__all__ = [
    "ENDED",
    "PROFILE",
    "Executor",
    "Job",
    "JobError",
    "State",
    "Status",
    "executor_in",
    "function_job",
    "make_executor",
]

Executor = LocalExecutor | HTCondorExecutor
PROFILE = "profile.json"


def make_executor(profile: ProfileConfig, directory: Path) -> Executor:
    """Return the executor of a profile, which keeps all it must remember in `directory`."""
    kept = directory / PROFILE
    # Variables of the environment are the jobs' own, and nobody else's to read.
    text = profile.model_dump_json(indent=1, exclude={"job": {"environment"}})
    if read(kept) != text:
        with whole_file(kept) as partial:
            partial.write_text(text)
    if profile.executor == "local":
        return LocalExecutor(profile, directory)
    return HTCondorExecutor(profile, directory)


def executor_in(directory: Path) -> Executor:
    """Return the executor that keeps what it remembers in `directory`, with its own profile."""
    kept = directory / PROFILE
    if not kept.is_file():
        raise InputError(f"{directory}: no executor keeps its jobs there")
    return make_executor(load_profile(kept), directory)
