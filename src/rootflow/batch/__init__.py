"""Jobs: one vocabulary, and executors that keep one contract.

An executor runs jobs, and knows them again after a restart of this process. Everything is kept in
the folder that it was made with: another one made with the same profile and folder, now or later,
knows the same jobs by the same ids. Two processes may use one folder at once.

A job that exits 85 goes on later: it is idle again, and starts again in its folder, until it has
started `limits.starts` times.
"""

from pathlib import Path

from rootflow.batch.contract import ENDED, Job, JobError, State, Status, function_job
from rootflow.batch.htcondor import HTCondorExecutor
from rootflow.batch.local import LocalExecutor
from rootflow.config.batch import ProfileConfig

__all__ = [
    "ENDED",
    "Executor",
    "Job",
    "JobError",
    "State",
    "Status",
    "function_job",
    "make_executor",
]

Executor = LocalExecutor | HTCondorExecutor


def make_executor(profile: ProfileConfig, directory: Path) -> Executor:
    """Return the executor of a profile, which keeps all it must remember in `directory`."""
    if profile.executor == "local":
        return LocalExecutor(profile, directory)
    return HTCondorExecutor(profile, directory)
