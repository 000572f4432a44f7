"""What a study found: its best trials as configurations."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
import yaml
from optuna.trial import FrozenTrial, TrialState

from rootflow.config import Config, TuningConfig
from rootflow.files import whole_file
from rootflow.tuning.running import REASON
from rootflow.tuning.space import with_values
from rootflow.tuning.study import Place

BEST = "best.yaml"
Row = dict[str, Any]


def best_trials(study: optuna.Study) -> Sequence[FrozenTrial]:
    """Return the best trial, or those of the Pareto front; none where none has finished."""
    if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        return []
    return study.best_trials if len(study.directions) > 1 else [study.best_trial]


def write_outcomes(
    config: Config, tune: TuningConfig, study: optuna.Study, place: Place
) -> list[Path]:
    """Write the configuration of each best trial, as the other steps take it.

    Returns
    -------
    best.yaml, or best-NUMBER.yaml for each trial of the Pareto front.
    """
    trials = best_trials(study)
    for old in place.directory.glob("best*.yaml"):
        old.unlink()
    paths = []
    for trial in trials:
        name = BEST if len(trials) == 1 else f"best-{trial.number}.yaml"
        settings = with_values(config, trial.params).model_dump(mode="json", exclude={"tune"})
        with whole_file(place.directory / name) as path:
            path.write_text(
                f"# Trial {trial.number} of the study '{study.study_name}': "
                f"{_said(tune, trial)}\n" + yaml.safe_dump(settings, sort_keys=False)
            )
        paths.append(place.directory / name)
    return paths


def table(study: optuna.Study, tune: TuningConfig) -> list[Row]:
    """Return a row for each trial."""
    names = [objective.metric for objective in tune.objectives]
    return [
        {
            "trial": trial.number,
            "state": trial.state.name.lower(),
            **dict(zip(names, trial.values or [None] * len(names), strict=True)),
            **{path: trial.params.get(path) for path in tune.space},
            "why": trial.user_attrs.get(REASON, ""),
        }
        for trial in study.get_trials(deepcopy=False)
    ]


def _said(tune: TuningConfig, trial: FrozenTrial) -> str:
    return ", ".join(
        f"{objective.metric} {value:.6g}"
        for objective, value in zip(tune.objectives, trial.values, strict=True)
    )
