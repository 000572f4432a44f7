"""What a study asks: a study that is there already goes on only with the same question."""

from collections.abc import Iterator, Mapping
from typing import Any

import optuna

from rootflow.analysis import Answer
from rootflow.config import Config, TuningConfig, digest_of
from rootflow.config.load import one_line_of
from rootflow.errors import UsageError
from rootflow.places import shown
from rootflow.sources import code_digest
from rootflow.tracking.run import flat

QUESTION, SETTINGS = "rootflow.question", "rootflow.settings"
# What does not change the answer, so that a study may go on with other values of it.
FREE = {"output", "tracking", "tune"}
DECIDES_TRIALS: tuple[Answer, ...] = ("dataset", "network", "trees")
ASKED = {"space", "objectives", "folds", "then"}
Settings = dict[str, Any]


def agree(study: optuna.Study, config: Config, tune: TuningConfig) -> None:
    """Have the study keep its question; a study of another one is refused, which says where."""
    settings = config.model_dump(mode="json", exclude=FREE)
    asked = tune.model_dump(mode="json", include=ASKED)
    code = [code_digest(config.analysis, answer) for answer in DECIDES_TRIALS]
    question = digest_of({"config": settings, "tune": asked, "code": code})
    now = settings_of(config, tune)
    kept = study.user_attrs.get(QUESTION)
    if kept is None:
        study.set_user_attr(SETTINGS, now)
        study.set_user_attr(QUESTION, question)
    elif kept != question:
        before = study.user_attrs.get(SETTINGS)
        where = one_line_of(differences(before, now)) if before is not None else ""
        raise UsageError(
            f"study '{study.study_name}' is there already, with "
            f"{where or 'another configuration, space, objectives, folds, steps or code'}: "
            f"take that back, or name this one otherwise than tune.name={tune.name}; "
            f"tune.start_from={tune.name} then takes over the trials that it has"
        )


def settings_of(config: Config, tune: TuningConfig) -> Settings:
    """Return what decides the answer by its path, as it may be shown; of code, its digest."""
    settings = config.model_dump(mode="json", exclude=FREE)
    asked = {"tune": tune.model_dump(mode="json", include=ASKED)}
    code = {f"the code of {each}": code_digest(config.analysis, each) for each in DECIDES_TRIALS}
    return {**flat(shown(settings)), **flat(shown(asked)), **code}


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield where settings differ, with the value before and the one now."""
    for path in [*now, *(path for path in before if path not in now)]:
        if path in before and path in now and before[path] == now[path]:
            continue
        if path.startswith("the code of "):
            yield f"{path} changed"
        elif path not in now:
            yield f"{path}: {_text(before[path])}, now not there"
        elif path not in before:
            yield f"{path}: not there before, now {_text(now[path])}"
        else:
            yield f"{path}: {_text(before[path])}, now {_text(now[path])}"


def _text(value: Any) -> str:
    return "null" if value is None else str(value)
