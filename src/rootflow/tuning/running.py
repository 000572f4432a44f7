"""A trial between its question and its answer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import optuna
from optuna.trial import TrialState

from rootflow.batch.contract import State
from rootflow.config import ObjectiveConfig
from rootflow.errors import UsageError
from rootflow.tuning.space import Values
from rootflow.tuning.trials import Result, TrialFiles

JOB, PRUNED, REASON, RUN_ID = "job", "pruned", "reason", "run_id"


class TrialOutcome(NamedTuple):
    """How a trial ended: what Optuna is told, and what else is known."""

    state: TrialState
    values: list[float] | None = None
    metrics: dict[str, float] = {}  # noqa: RUF012 - never changed
    reason: str = ""


@dataclass
class Running:
    """A trial that Optuna has not been told the outcome of.

    Attributes
    ----------
    run_id
        The trial's MLflow run; none until it is prepared.
    job
        The executor's id of its job; none while it has to be submitted.
    submissions, losses
        How often it was submitted, and how often its job was lost.
    to_prune
        Its job is to be removed, as it does not promise much.
    done_since
        When its job was first seen to have ended well, without a result to be read.
    """

    trial: optuna.Trial
    files: TrialFiles
    values: Values
    run_id: str | None = None
    job: str | None = None
    submissions: int = 0
    losses: int = 0
    to_prune: bool = False
    state: State = State.IDLE
    outcome: TrialOutcome | None = None
    done_since: float | None = None
    reported: set[int] = field(default_factory=set)

    @property
    def number(self) -> int:
        """Of the trial in its study."""
        return self.trial.number

    def remember(self, job: str | None) -> None:
        """Have this job, in the storage, too: the next driver looks for it there."""
        self.job, self.state, self.done_since = job, State.IDLE, None
        self.trial.set_user_attr(JOB, [job, self.submissions, self.losses])


def outcome_of(result: Result, objectives: Sequence[ObjectiveConfig]) -> TrialOutcome:
    """Return what a trial's result means.

    Raises
    ------
    UsageError
        An objective is not among its metrics.
    """
    if result.error is not None:
        return TrialOutcome(TrialState.FAIL, reason=result.error)
    for objective in objectives:
        if objective.metric not in result.metrics:
            raise UsageError(
                f"tune.objectives: '{objective.metric}' is not a metric of a trial, which has "
                f"{', '.join(sorted(result.metrics))}"
            )
    values = [result.metrics[objective.metric] for objective in objectives]
    for objective, value in zip(objectives, values, strict=True):
        if not math.isfinite(value):
            reason = f"{objective.metric} is {value}"
            return TrialOutcome(TrialState.FAIL, metrics=result.metrics, reason=reason)
    return TrialOutcome(TrialState.COMPLETE, values, result.metrics)
