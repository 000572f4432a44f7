"""Everything that talks to MLflow.

Where the tracking server does not answer, what asks it raises an AwayError; where it refuses, a
RootflowError; where it does not have what is asked for, or no longer its files, a UsageError.
"""

from rootflow.tracking.artifacts import artifact_of
from rootflow.tracking.run import Run, start_run

__all__ = ["Run", "artifact_of", "start_run"]
