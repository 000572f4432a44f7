"""No setting without a value that is not its default, and without a step to take it through."""

from importlib.metadata import entry_points
from pathlib import Path

import pytest

from other_values import (
    EVALUATE,
    EXPORT,
    LIKE,
    PREPROCESS,
    PROFILE,
    PROMOTE,
    RECORD,
    SIMULATE,
    TRAIN,
    TUNE,
    Other,
)
from rootflow.analysis import GROUP, analysis_named
from rootflow.config import load
from rootflow.config.batch import ProfileConfig, load_profile
from settings_schema import settings_of
from small_configurations import PROJECT

BY_STEP = (SIMULATE, PREPROCESS, TRAIN, EVALUATE, EXPORT, PROMOTE, RECORD, TUNE)
# Models beside a classifier are trained and scored as it is: `test_line` takes all kinds there.
AS_THE_MODEL = "evaluation.methods["


def known(analysis: str) -> dict[str, Other]:
    return {path: other for step in BY_STEP for path, other in step.get(analysis, {}).items()}


@pytest.mark.parametrize("analysis", sorted(entry_points(group=GROUP).names))
def test_every_setting_is_taken_off_its_default(analysis: str) -> None:
    described = analysis_named(analysis)
    apart = AS_THE_MODEL if described.task == "classification" else ()
    there = {path for path in settings_of(described.config) if not path.startswith(apart)}
    own = known(analysis)
    assert own.keys() <= there
    assert not there - own.keys() - {path for other in LIKE[analysis] for path in known(other)}
    assert len(own) == sum(len(step.get(analysis, {})) for step in BY_STEP)


def test_every_word_of_a_profile_is_taken_off_its_default() -> None:
    assert sorted(PROFILE) == sorted(settings_of(ProfileConfig))


@pytest.mark.parametrize(
    "path", sorted((PROJECT / "configs").glob("*.yaml")), ids=lambda path: path.stem
)
def test_shipped_configurations_are_of_these_settings(path: Path) -> None:
    config = load(path)
    assert type(config).model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    "path", sorted((PROJECT / "condor" / "profiles").glob("*.json")), ids=lambda path: path.stem
)
def test_shipped_profiles_are_of_these_words(path: Path) -> None:
    profile = load_profile(path)
    assert ProfileConfig.model_validate_json(profile.model_dump_json()) == profile
