"""Optuna's database with its trials in memory, for the one process that writes to it."""

import copy
from collections.abc import Container, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage, RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState


class Mirror(BaseStorage):
    """Writes to the database, and reads trials from memory.

    Optuna itself reads all trials that have not ended anew for each question, so that asking
    for n at once takes a time that grows with the square of n. As long as one process writes,
    memory knows what the database holds.

    Parameters
    ----------
    database
        Whose trials no other process changes.
    """

    def __init__(self, database: RDBStorage) -> None:
        self._database = database
        self._trials: dict[int, list[FrozenTrial]] = {}  # of each study, by number
        self._places: dict[int, tuple[int, int]] = {}  # study and number, by trial id
        self._directions: dict[int, list[StudyDirection]] = {}

    # -- studies

    def create_new_study(
        self, directions: Sequence[StudyDirection], study_name: str | None = None
    ) -> int:
        """Make a study."""
        return int(self._database.create_new_study(directions, study_name))

    def delete_study(self, study_id: int) -> None:
        """Delete a study."""
        self._database.delete_study(study_id)
        self._trials.pop(study_id, None)

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        """Set a study's own attribute."""
        self._database.set_study_user_attr(study_id, key, value)

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        """Set a study's attribute of Optuna's."""
        self._database.set_study_system_attr(study_id, key, value)

    def get_study_id_from_name(self, study_name: str) -> int:
        """Return the id of a study."""
        return int(self._database.get_study_id_from_name(study_name))

    def get_study_name_from_id(self, study_id: int) -> str:
        """Return the name of a study."""
        return str(self._database.get_study_name_from_id(study_id))

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        """Return where each objective should go."""
        if study_id not in self._directions:
            self._directions[study_id] = self._database.get_study_directions(study_id)
        return self._directions[study_id]

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """Return a study's own attributes."""
        return dict(self._database.get_study_user_attrs(study_id))

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """Return a study's attributes of Optuna's."""
        return dict(self._database.get_study_system_attrs(study_id))

    def get_all_studies(self) -> list[Any]:
        """Return all studies of the database."""
        return list(self._database.get_all_studies())

    # -- trials

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """Make a trial, and return its id."""
        known = self._of_study(study_id)
        trial_id = int(self._database.create_new_trial(study_id, template_trial))
        self._places[trial_id] = (study_id, len(known))
        known.append(self._database.get_trial(trial_id))
        return trial_id

    def set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
    ) -> None:
        """Set a parameter of a trial."""
        self._database.set_trial_param(trial_id, param_name, param_value_internal, distribution)
        value = distribution.to_external_repr(param_value_internal)
        self._add(trial_id, "params", param_name, value)
        self._add(trial_id, "distributions", param_name, distribution)

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """Set how a trial stands, and what came of it."""
        changed = bool(self._database.set_trial_state_values(trial_id, state, values))
        study_id, number = self._places[trial_id]
        self._trials[study_id][number] = self._database.get_trial(trial_id)
        return changed

    def set_trial_intermediate_value(
        self, trial_id: int, step: int, intermediate_value: float
    ) -> None:
        """Set the value of one step of a trial."""
        self._database.set_trial_intermediate_value(trial_id, step, intermediate_value)
        self._add(trial_id, "intermediate_values", step, intermediate_value)

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Set a trial's own attribute."""
        self._database.set_trial_user_attr(trial_id, key, value)
        self._add(trial_id, "user_attrs", key, value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Set a trial's attribute of Optuna's."""
        self._database.set_trial_system_attr(trial_id, key, value)
        self._add(trial_id, "system_attrs", key, value)

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """Return a trial as it is now."""
        study_id, number = self._places[trial_id]
        return self._trials[study_id][number]

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """Return the trials of a study by number, all or those in some states."""
        trials = self._of_study(study_id)
        chosen = [trial for trial in trials if states is None or trial.state in states]
        return copy.deepcopy(chosen) if deepcopy else chosen

    def _of_study(self, study_id: int) -> list[FrozenTrial]:
        if study_id not in self._trials:
            trials = sorted(self._database.get_all_trials(study_id), key=lambda t: t.number)
            self._trials[study_id] = trials
            self._places |= {
                trial._trial_id: (study_id, number) for number, trial in enumerate(trials)
            }
        return self._trials[study_id]

    def _add(self, trial_id: int, kind: str, key: Any, value: Any) -> None:
        """Change a copy, so that trials which were handed out stay what they were."""
        study_id, number = self._places[trial_id]
        trial = copy.copy(self._trials[study_id][number])
        setattr(trial, kind, {**getattr(trial, kind), key: value})
        self._trials[study_id][number] = trial
