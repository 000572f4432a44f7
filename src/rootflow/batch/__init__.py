"""Jobs: one vocabulary, and executors that keep one contract."""

from pathlib import Path

from rootflow.batch.contract import ENDED, Executor, Job, JobError, Logs, State, Status
from rootflow.batch.folder import function_job
from rootflow.config.batch import ProfileConfig

__all__ = [
    "ENDED",
    "Executor",
    "Job",
    "JobError",
    "Logs",
    "State",
    "Status",
    "function_job",
    "make_executor",
]


def make_executor(profile: ProfileConfig, directory: Path) -> Executor:
    """Return the executor of a profile, which keeps all it must remember in `directory`."""
    if profile.executor == "local":
        from rootflow.batch.local import LocalExecutor

        return LocalExecutor(profile, directory)
    from rootflow.batch.htcondor import HTCondorExecutor

    return HTCondorExecutor(profile, directory)
