"""Starting a study from another one's finished trials."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState, create_trial

from rootflow.config import Config, TuningConfig
from rootflow.config.load import one_line_of
from rootflow.config.tuning import CategoricalConfig, FloatConfig, ParameterKind
from rootflow.errors import UsageError
from rootflow.progress import say
from rootflow.tracking.run import flat
from rootflow.tuning.question import SETTINGS, differences, settings_of
from rootflow.tuning.study import JOURNAL, storage_of

TAKEN_OVER, OF_TRIAL = "rootflow.taken_over", "rootflow.of_trial"
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
WORTH_SAYING = ("tune.objectives", "tune.folds", "tune.then")


class OutsideError(Exception):
    """A trial is not one of the space; the message says by which parameter."""


def take_over(config: Config, tune: TuningConfig, place: Path, study: optuna.Study) -> int:
    """Take over the trials of the study that `tune.start_from` names; return how many there are.

    Those are its finished and pruned trials whose parameters lie in this study's space: what it
    did not vary has the value that its configuration had. It is done once, and said with what was
    left out, and why.
    """
    there = [_origin(trial) for trial in study.get_trials(deepcopy=False) if _origin(trial)]
    if tune.start_from is None or study.user_attrs.get(TAKEN_OVER) == tune.start_from:
        return len(there)
    old = study_to_start_from(tune, place)
    before = old.user_attrs.get(SETTINGS, {})
    taken, left = [], Counter[str]()
    for trial in old.get_trials(deepcopy=False):
        origin = [old.study_name, trial.number]
        try:
            new = _taken(trial, config, tune, before)
        except OutsideError as error:
            left[str(error)] += 1
            continue
        if origin not in there:
            new.set_user_attr(OF_TRIAL, origin)
            taken.append(new)
    study.add_trials(taken)
    study.set_user_attr(TAKEN_OVER, tune.start_from)
    _say(tune, len(taken), left, before, settings_of(config, tune))
    return len(there) + len(taken)


def _origin(trial: FrozenTrial) -> Any:
    return trial.user_attrs.get(OF_TRIAL)


def _say(
    tune: TuningConfig,
    taken: int,
    left: Mapping[str, int],
    before: Mapping[str, Any],
    now: Mapping[str, Any],
) -> None:
    line = f"rootflow: study '{tune.name}' starts from {taken} trials of '{tune.start_from}'"
    if left:
        line += f"; left out: {', '.join(f'{count} {why}' for why, count in left.items())}"
    varied = {path for path in {*before, *now} if path.startswith("tune.space")} | set(tune.space)
    other = {path: value for path, value in now.items() if path not in varied}
    others = {path: value for path, value in before.items() if path not in varied}
    if before and (differ := one_line_of(differences(others, other))):
        line += f"; they were measured with {differ}"
    say(line)


def study_to_start_from(tune: TuningConfig, place: Path) -> optuna.Study:
    """Return the study that `tune.start_from` names, which is to have the same objectives.

    It is beside this one or in its storage, by its name, or in the directory that is named.
    """
    named = Path(str(tune.start_from))
    directory = named.resolve() if len(named.parts) > 1 else place.parent / named
    if directory == place:
        raise UsageError(f"tune.start_from: {tune.start_from} is this study itself")
    if (directory / JOURNAL).exists():
        storage = storage_of(None, directory)
    elif tune.storage is not None:
        storage = storage_of(tune.storage, directory)
    else:
        raise UsageError(f"tune.start_from: there is no study in {directory}")
    try:
        study = optuna.load_study(study_name=directory.name, storage=storage)
    except KeyError:
        raise UsageError(f"tune.start_from: there is no study '{directory.name}'") from None
    _require_same_objectives(study, tune)
    return study


def _require_same_objectives(old: optuna.Study, tune: TuningConfig) -> None:
    before = old.user_attrs.get(SETTINGS, {})
    wanted = [(each.metric, each.direction) for each in tune.objectives]
    had = [(each["metric"], each["direction"]) for each in before.get("tune.objectives", ())]
    directions = [direction.name.lower() for direction in old.directions]
    if (had and had != wanted) or directions != [direction for _, direction in wanted]:
        said = ", ".join(f"{direction} {metric}" for metric, direction in had) or directions
        raise UsageError(f"tune.start_from: '{old.study_name}' has other objectives: {said}")


def _taken(
    trial: FrozenTrial, config: Config, tune: TuningConfig, before: Mapping[str, Any]
) -> FrozenTrial:
    """Return a finished trial as one of this study, or raise OutsideError."""
    if trial.state not in FINISHED:
        raise OutsideError("that failed" if trial.state is TrialState.FAIL else "not finished")
    had, params = {**before, **trial.params}, dict[str, Any]()
    for path, parameter in tune.in_order():
        conditions = parameter.when.items()
        if all(other in params and params[other] in allowed for other, allowed in conditions):
            if path not in had:
                raise OutsideError(f"without {path}")
            params[path] = had[path]
    fixed = flat(config.model_dump(mode="json"))
    for path, value in trial.params.items():
        if path not in tune.space and fixed.get(path) != value:
            raise OutsideError(f"with another {path} than {fixed.get(path)}")
    distributions = {path: _distribution(tune.space[path]) for path in params}
    for path, value in params.items():
        _require_inside(path, value, distributions[path])
    return create_trial(
        state=trial.state,
        values=trial.values,
        params=params,
        distributions=distributions,
        intermediate_values=trial.intermediate_values,
    )


def _require_inside(path: str, value: Any, distribution: BaseDistribution) -> None:
    try:
        create_trial(value=0.0, params={path: value}, distributions={path: distribution})
    except (ValueError, TypeError):  # what Optuna says of a value that is none of the parameter's
        raise OutsideError(f"outside of {path}") from None


def _distribution(parameter: ParameterKind) -> BaseDistribution:
    """Return the values of a parameter as Optuna asks for them."""
    if isinstance(parameter, CategoricalConfig):
        return CategoricalDistribution(parameter.choices)
    if isinstance(parameter, FloatConfig):
        low, high = parameter.ends()
        return FloatDistribution(low, high, log=parameter.log, step=parameter.step)
    return IntDistribution(parameter.low, parameter.high, log=parameter.log, step=parameter.step)
